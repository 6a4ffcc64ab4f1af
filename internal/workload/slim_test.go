// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package workload_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/internal/workload"
	"github.com/backstay-dr/backstay/test/gen"
)

var epoch = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func slim[T any](t *testing.T, obj T) T {
	t.Helper()
	if !workload.Slim(obj) {
		t.Fatalf("Slim does not know %T", obj)
	}
	return obj
}

func hashOf(d *appsv1.Deployment) string { return workload.FromDeployment(d, nil).Template.Hash }

func TestSlimKeepsTheView(t *testing.T) {
	d := gen.Deployment("web", gen.Runs("1.5.0"), gen.Sidecar("log", "registry.example/log:2"), gen.Held("ns", "shop"),
		gen.UserPaused(), gen.Label("team", "blue"), gen.Annotation(corev1.LastAppliedConfigAnnotation, "{}"),
		gen.TemplateAnnotation("kubectl.kubernetes.io/restartedAt", "now"), gen.RolledOut(), gen.TimedOut())
	d.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}
	set := gen.ReplicaSet(d, 3, 2, epoch)
	set.Status = appsv1.ReplicaSetStatus{Replicas: 3, ReadyReplicas: 1, AvailableReplicas: 1}
	whole := workload.FromDeployment(d, []appsv1.ReplicaSet{*set})

	cut, cutSet := slim(t, d.DeepCopy()), slim(t, set.DeepCopy())
	if diff := cmp.Diff(whole, workload.FromDeployment(cut, []appsv1.ReplicaSet{*cutSet})); diff != "" {
		t.Errorf("the view of a slim Deployment differs (-whole +slim):\n%s", diff)
	}
	if cut.ManagedFields != nil || cut.Annotations[corev1.LastAppliedConfigAnnotation] != "" || len(cut.Spec.Template.Spec.Containers) > 0 {
		t.Errorf("Slim kept what no view needs: %+v", cut)
	}

	again, againSet := slim(t, cut.DeepCopy()), slim(t, cutSet.DeepCopy())
	if diff := cmp.Diff(cut, again); diff != "" {
		t.Errorf("Slim is not idempotent on a Deployment (-once +twice):\n%s", diff)
	}
	if diff := cmp.Diff(cutSet, againSet); diff != "" {
		t.Errorf("Slim is not idempotent on a ReplicaSet (-once +twice):\n%s", diff)
	}
}

// Whoever may edit a Deployment may set any annotation on its pod template. If one of them passed for the hash, a
// changed template could pass for the one that runs, and start without a backup.
func TestATemplateCannotTellItsOwnHash(t *testing.T) {
	running := hashOf(gen.Deployment("web", gen.Runs("1.4.2")))
	forged := gen.Deployment("web", gen.Runs("1.5.0"), gen.TemplateAnnotation("dr.backstay.dev/template-base", running))

	whole := hashOf(forged.DeepCopy())
	if whole == running {
		t.Errorf("a changed template with a forged annotation has the hash of the one that runs, %s", running)
	}
	if got := hashOf(slim(t, forged)); got != whole {
		t.Errorf("hash of it after Slim = %s, want %s", got, whole)
	}
}

func TestTemplateHash(t *testing.T) {
	base := hashOf(gen.Deployment("web", gen.Runs("1.4.2")))
	for name, tc := range map[string]struct {
		change gen.DeploymentOption
		same   bool
	}{
		"rollout restart":         {gen.TemplateAnnotation("kubectl.kubernetes.io/restartedAt", "2026-03-01T09:00:00Z"), true},
		"another version label":   {gen.TemplateLabel(gen.LabelVersion, "1.5.0"), false},
		"checksum of a ConfigMap": {gen.TemplateAnnotation("checksum/config", "1"), false},
		"scaled":                  {gen.Replicas(7), true},
		"paused":                  {gen.Paused(), true},
		"held":                    {gen.Held("ns", "shop"), true},
		"another image":           {gen.Image("registry.example/web:1.5.0"), false},
		"configuration":           {gen.Config("MODE", "fast"), false},
		"another container":       {gen.Sidecar("log", "registry.example/log"), false},
	} {
		t.Run(name, func(t *testing.T) {
			got := hashOf(gen.Deployment("web", gen.Runs("1.4.2"), tc.change))
			if (got == base) != tc.same {
				t.Errorf("hash = %s, before the change %s; want it to be the same: %t", got, base, tc.same)
			}
			if !workload.Comparable(got, workload.Scheme(nil)) {
				t.Errorf("%s is not comparable with what this version computes", got)
			}
		})
	}
	if workload.Comparable("v0-"+base, workload.Scheme(nil)) || workload.Comparable("", workload.Scheme(nil)) {
		t.Error("a hash of another version counts as comparable")
	}
}

func TestSlimLeavesOtherKindsAlone(t *testing.T) {
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "a"}}}}
	whole := pod.DeepCopy()
	if workload.Slim(pod) {
		t.Error("a Pod passes for a workload")
	}
	if diff := cmp.Diff(whole, pod); diff != "" {
		t.Errorf("Slim changed a Pod:\n%s", diff)
	}
}
