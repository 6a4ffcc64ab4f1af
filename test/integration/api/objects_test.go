// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

const plan = `
apiVersion: dr.backstay.dev/v1alpha1
kind: DRPlan
metadata: {name: shop}
spec:
  version: 1.4.2
  workloads: {matchLabels: {app.kubernetes.io/part-of: shop}}
`

const release = `
apiVersion: dr.backstay.dev/v1alpha1
kind: AppRelease
metadata: {name: shop-1.5.0}
spec:
  plan: shop
  version: 1.5.0
`

// parse reads an object and puts it into a namespace.
func parse(t *testing.T, namespace, text string) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &object.Object); err != nil {
		t.Fatal(err)
	}
	object.SetNamespace(namespace)
	return object
}

// with sets one field of an object, named by its path: "spec.gate.mode". The value is YAML; "-" removes the field.
func with(t *testing.T, object *unstructured.Unstructured, path, value string) {
	t.Helper()
	fields := strings.Split(path, ".")
	if value == "-" {
		unstructured.RemoveNestedField(object.Object, fields...)
		return
	}
	var parsed any
	if err := yaml.Unmarshal([]byte(value), &parsed); err != nil {
		t.Fatal(err)
	}
	if err := unstructured.SetNestedField(object.Object, normalize(parsed), fields...); err != nil {
		t.Fatal(err)
	}
}

// normalize makes of YAML's numbers what unstructured objects hold.
func normalize(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key := range v {
			v[key] = normalize(v[key])
		}
	case []any:
		for i := range v {
			v[i] = normalize(v[i])
		}
	case float64:
		if v == float64(int64(v)) {
			return int64(v)
		}
	}
	return value
}

// create creates as kubectl does, with strict validation of the fields.
func create(t *testing.T, object *unstructured.Unstructured, options ...client.CreateOption) error {
	t.Helper()
	return plane.Client.Create(t.Context(), object, append(options, client.FieldValidation("Strict"))...)
}

// refusedWith fails the test unless the API server refused the object with that text.
func refusedWith(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil {
		t.Fatal("the API server took it")
	}
	if !apierrors.IsInvalid(err) && !apierrors.IsBadRequest(err) {
		t.Fatalf("refused by another cause: %v", err)
	}
	if !strings.Contains(err.Error(), text) {
		t.Errorf("the message is\n  %v\nand lacks\n  %s", err, text)
	}
}
