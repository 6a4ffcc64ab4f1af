// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"testing"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/integration/stage"
)

// partOf is the label by which the plan "shop" selects.
const partOf = "app.kubernetes.io/part-of"

// shop is an application in a namespace of its own: the plan "shop", and the Deployments that it selects.
type shop struct {
	*testing.T
	stage     *stage.Stage
	namespace string
}

// setting changes the plan before it is created.
type setting func(*v1alpha1.DRPlan)

// newShop is the shop with the Deployment "web" in version 1, gated.
func newShop(t *testing.T, settings ...setting) *shop {
	t.Helper()
	return newShopOn(t, scene, settings...)
}

func newShopOn(t *testing.T, on *stage.Stage, settings ...setting) *shop {
	t.Helper()
	s := emptyShopOn(t, on)
	s.create(s.deployment("web", "1"))
	s.create(s.plan("shop", settings...))
	s.awaitSettled("shop")
	return s
}

// emptyShop is a namespace, and nothing in it.
func emptyShop(t *testing.T) *shop {
	t.Helper()
	return emptyShopOn(t, scene)
}

func emptyShopOn(t *testing.T, on *stage.Stage) *shop {
	t.Helper()
	return &shop{T: t, stage: on, namespace: on.Namespace(t)}
}

func (s *shop) plan(name string, settings ...setting) *v1alpha1.DRPlan {
	p := &v1alpha1.DRPlan{ObjectMeta: s.meta(name)}
	p.Spec.Version = "1"
	p.Spec.Workloads.MatchLabels = map[string]v1alpha1.LabelValue{partOf: "shop"}
	for _, set := range settings {
		set(p)
	}
	return p
}

func (s *shop) deployment(name, version string) *appsv1.Deployment {
	d := &appsv1.Deployment{ObjectMeta: s.meta(name)}
	d.Labels = map[string]string{partOf: "shop"}
	pods := map[string]string{"app": name}
	d.Spec.Selector = &metav1.LabelSelector{MatchLabels: pods}
	d.Spec.Template.Labels = map[string]string{"app": name}
	d.Spec.Template.Spec.Containers = []corev1.Container{{Name: "main", Image: image(name, version)}}
	return d
}

// announce is an AppRelease.
func (s *shop) announce(name, version string, intent v1alpha1.ReleaseIntent) *v1alpha1.AppRelease {
	r := &v1alpha1.AppRelease{ObjectMeta: s.meta(name)}
	r.Spec.Plan, r.Spec.Version, r.Spec.Intent = "shop", version, intent
	return r
}

func (s *shop) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: s.namespace, Name: name}
}

func image(name, version string) string { return "registry.example/" + name + ":" + version }

func (s *shop) create(obj client.Object) {
	s.Helper()
	if err := s.stage.Live.Create(s.Context(), obj); err != nil {
		s.Fatal(err)
	}
}

func (s *shop) delete(obj client.Object) {
	s.Helper()
	if err := s.stage.Live.Delete(s.Context(), obj); err != nil {
		s.Fatal(err)
	}
}

// roll changes the image of a Deployment to a version's, as somebody who deploys does.
func (s *shop) roll(name, version string) {
	s.Helper()
	s.patch(&appsv1.Deployment{ObjectMeta: s.meta(name)}, fmt.Sprintf(
		`{"spec":{"template":{"spec":{"containers":[{"name":"main","image":%q}]}}}}`, image(name, version)))
}

// patch sends a JSON merge patch as an administrator.
func (s *shop) patch(obj client.Object, body string) {
	s.Helper()
	if err := s.stage.Live.Patch(s.Context(), obj, client.RawPatch(types.MergePatchType, []byte(body))); err != nil {
		s.Fatal(err)
	}
}

// patchPlan sends a JSON merge patch to the plan "shop".
func (s *shop) patchPlan(body string) {
	s.Helper()
	s.patch(&v1alpha1.DRPlan{ObjectMeta: s.meta("shop")}, body)
}

// complete lets Velero complete a backup.
func (s *shop) complete(backup string) {
	s.Helper()
	if err := s.stage.Complete(s.Context(), backup); err != nil {
		s.Fatal(err)
	}
}

// pass lets Velero bring a backup into a phase.
func (s *shop) pass(backup string, phase velerov1.BackupPhase, more map[string]any) {
	s.Helper()
	if err := s.stage.Pass(s.Context(), backup, phase, more); err != nil {
		s.Fatal(err)
	}
}

// rollOut rolls a Deployment to a version, its backup Completed, to the end.
func (s *shop) rollOut(name, version string) *v1alpha1.AppRelease {
	s.Helper()
	s.roll(name, version)
	release := "shop-" + version
	s.complete(s.awaitBackup(release, 0))
	s.awaitReady(release, v1alpha1.ReasonRolledOut)
	return s.release(release)
}
