// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// firstVersion is what every application runs at first, and what its plan was written for.
const firstVersion = "1.4.2"

// partOf is the label by which plans select.
const partOf = "app.kubernetes.io/part-of"

func image(name, version string) string { return "registry.example.com/" + name + ":" + version }

// deployment is a part of the shop.
func deployment(name, version string) *appsv1.Deployment {
	labels := map[string]string{"app.kubernetes.io/name": name, partOf: "shop"}
	d := &appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
	}
	d.Spec.Replicas = new(int32(2))
	d.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"app.kubernetes.io/name": name}}
	d.Spec.Template.Labels = map[string]string{"app.kubernetes.io/name": name, partOf: "shop"}
	d.Spec.Template.Spec.Containers = []corev1.Container{{Name: name, Image: image(name, version)}}
	return d
}

// plan is the manifest of a plan for the shop, with more lines of its spec.
func plan(spec string) string {
	return fmt.Sprintf(`
apiVersion: dr.backstay.dev/v1alpha1
kind: DRPlan
metadata:
  name: %s
spec:
  version: "%s"
  workloads:
    matchLabels:
      %s: shop
%s`, planName, firstVersion, partOf, spec)
}

// manifest is objects as a file has them.
func manifest(objects ...client.Object) string {
	text := ""
	for _, obj := range objects {
		raw, err := yaml.Marshal(obj)
		if err != nil {
			panic(err) // every object here is one of Kubernetes' own types
		}
		text += "---\n" + string(raw)
	}
	return text
}

// release is the manifest of a release that a pipeline makes.
func release(version, intent string) string {
	return fmt.Sprintf(`
apiVersion: dr.backstay.dev/v1alpha1
kind: AppRelease
metadata:
  name: %[1]s-%[2]s
spec:
  plan: %[1]s
  version: %[2]q
  intent: %[3]s
`, planName, version, intent)
}
