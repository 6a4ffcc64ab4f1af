// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/backstay-dr/backstay/controllers"
	"github.com/backstay-dr/backstay/test/integration/stage"
)

// Only here: RBAC and the policies together, for the ServiceAccount that ships.
// What a stolen token of the operator is not good for.
func TestOperatorsTokenIsRefused(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	cfg, err := scene.Operator(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stolen, err := client.New(cfg, client.Options{Scheme: controllers.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	secret := &corev1.Secret{ObjectMeta: s.meta("key")}
	s.create(secret)
	web := &appsv1.Deployment{ObjectMeta: s.meta("web")}
	patch := func(obj client.Object, body string) error {
		return stolen.Patch(ctx, obj, client.RawPatch(types.MergePatchType, []byte(body)))
	}
	backupIn := func(namespace string) *velerov1.Backup {
		return &velerov1.Backup{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "stolen"}}
	}
	foreign := backupIn(stage.VeleroNamespace)
	foreign.Name = "of-another-" + s.namespace
	s.create(foreign)
	for name, try := range map[string]func() error{
		"to read a Secret":       func() error { return stolen.Get(ctx, s.key("key"), &corev1.Secret{}) },
		"to list Secrets":        func() error { return stolen.List(ctx, &corev1.SecretList{}, client.InNamespace(stage.VeleroNamespace)) },
		"to read a ConfigMap":    func() error { return stolen.Get(ctx, s.key("kube-root-ca.crt"), &corev1.ConfigMap{}) },
		"to create a pod":        func() error { return stolen.Create(ctx, &corev1.Pod{ObjectMeta: s.meta("mine")}) },
		"to create a Deployment": func() error { return stolen.Create(ctx, s.deployment("mine", "1")) },
		"to delete a Deployment": func() error { return stolen.Delete(ctx, web) },
		"to change a policy":     func() error { return patch(hold(), `{"spec":{"failurePolicy":"Fail"}}`) },
		"to delete a policy":     func() error { return stolen.Delete(ctx, hold()) },
		"to bind a policy": func() error {
			return stolen.Create(ctx, &admissionv1.MutatingAdmissionPolicyBinding{ObjectMeta: metav1.ObjectMeta{Name: "x"}})
		},
		"to change a plan":     func() error { return patch(s.plan("shop"), `{"spec":{"gate":{"mode":"Disabled"}}}`) },
		"to back up elsewhere": func() error { return stolen.Create(ctx, backupIn(s.namespace)) },
		"to delete a Backup":   func() error { return stolen.Delete(ctx, foreign) },
		"to change a location": func() error { return patch(stage.Location(stage.DefaultLocation), `{"spec":{"default":false}}`) },
		"to change a pod template": func() error {
			return patch(web, `{"spec":{"template":{"spec":{"containers":[{"name":"main","image":"evil"}]}}}}`)
		},
		"to scale a Deployment":    func() error { return patch(web, `{"spec":{"replicas":0}}`) },
		"to finalize a Deployment": func() error { return patch(web, `{"metadata":{"finalizers":["example.com/f"]}}`) },
	} {
		t.Run(name, func(t *testing.T) {
			if err := try(); !apierrors.IsForbidden(err) {
				t.Errorf("it was not refused: %v", err)
			}
		})
	}
}
