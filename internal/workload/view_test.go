// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package workload_test

import (
	"encoding/json"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/workload"
	"github.com/backstay-dr/backstay/test/gen"
)

func view(options ...gen.DeploymentOption) workload.View {
	return workload.FromDeployment(gen.Deployment("web", options...), nil)
}

func TestHeldMeansFieldAndMark(t *testing.T) {
	mark := gen.Annotation(v1alpha1.AnnotationHeldBy, "ns/shop")
	for name, tc := range map[string]struct {
		view        workload.View
		held, stale bool
		byShop      bool
	}{
		"neither":                     {view: view()},
		"paused by a user":            {view: view(gen.Paused())},
		"held":                        {view: view(gen.Held("ns", "shop")), held: true, byShop: true},
		"held by another plan":        {view: view(gen.Held("ns", "till")), held: true},
		"mark without the field":      {view: view(mark), stale: true},
		"mark of another namespace":   {view: view(gen.Held("prod", "shop"))},
		"mark of a longer namespace":  {view: view(gen.Held("ns-2", "shop"))},
		"restored mark, not paused":   {view: view(gen.Annotation(v1alpha1.AnnotationHeldBy, "prod/shop"))},
		"mark of the namespace alone": {view: view(gen.Paused(), gen.Annotation(v1alpha1.AnnotationHeldBy, "ns"))},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tc.view.Held(); got != tc.held {
				t.Errorf("Held() = %t, want %t", got, tc.held)
			}
			if got := tc.view.StaleHold(); got != tc.stale {
				t.Errorf("StaleHold() = %t, want %t", got, tc.stale)
			}
			if got := tc.view.HeldByPlan("shop"); got != tc.byShop {
				t.Errorf("HeldByPlan(shop) = %t, want %t", got, tc.byShop)
			}
		})
	}
}

func TestOverrideNeedsItsUser(t *testing.T) {
	got := view(gen.Overridden("jane", "fire"))
	if diff := cmp.Diff(&workload.Override{User: "jane", Reason: "fire"}, got.Override); diff != "" {
		t.Errorf("Override (-want +got):\n%s", diff)
	}
	if got := view(gen.Annotation(v1alpha1.AnnotationOverrideReason, "fire")); got.Override != nil {
		t.Errorf("a reason without a user counts as an override: %+v", got.Override)
	}
}

func TestRolledOut(t *testing.T) {
	for name, tc := range map[string]struct {
		option gen.DeploymentOption
		want   bool
	}{
		"every pod runs it":      {gen.Changed(func(*appsv1.Deployment) {}), true},
		"old status":             {gen.Changed(func(d *appsv1.Deployment) { d.Generation++ }), false},
		"paused":                 {gen.Changed(func(d *appsv1.Deployment) { d.Spec.Paused = true }), false},
		"an old pod is left":     {gen.Changed(func(d *appsv1.Deployment) { d.Status.Replicas++ }), false},
		"a pod is not updated":   {gen.Changed(func(d *appsv1.Deployment) { d.Status.UpdatedReplicas-- }), false},
		"a pod is not available": {gen.Changed(func(d *appsv1.Deployment) { d.Status.AvailableReplicas-- }), false},
		"replicas by default":    {gen.Changed(func(d *appsv1.Deployment) { d.Spec.Replicas = nil }), true},
		"scaled to nothing": {gen.Changed(func(d *appsv1.Deployment) {
			none := int32(0)
			d.Spec.Replicas, d.Status = &none, appsv1.DeploymentStatus{ObservedGeneration: d.Generation}
		}), true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := view(gen.RolledOut(), tc.option).RolledOut; got != tc.want {
				t.Errorf("RolledOut = %t, want %t", got, tc.want)
			}
		})
	}
}

func TestRevisions(t *testing.T) {
	d := gen.Deployment("web", gen.Runs("1.5.0"))
	old := gen.Deployment("web", gen.Runs("1.4.2"))
	restarted := gen.Deployment("web", gen.Runs("1.4.2"), gen.TemplateAnnotation("kubectl.kubernetes.io/restartedAt", "now"))
	v := workload.FromDeployment(d, []appsv1.ReplicaSet{
		*gen.ReplicaSet(old, 1, 0, epoch), *gen.ReplicaSet(restarted, 2, 3, epoch), *gen.ReplicaSet(d, 3, 1, epoch),
	})
	if got := v.Active(); got != 2 {
		t.Errorf("Active() = %d, want 2", got)
	}
	if got, ok := v.Revision(hashOf(old)); !ok || got.Name != "web-2" {
		t.Errorf("Revision(1.4.2) = %q, %t; want web-2, which has the pods", got.Name, ok)
	}
	if got, ok := v.Revision("v1-other"); ok {
		t.Errorf("Revision of an unknown template = %+v", got)
	}
	if got := v.Revisions[0].Created.Time; !got.Equal(epoch) {
		t.Errorf("Created = %s, want %s", got, epoch)
	}
	scaled := gen.ReplicaSet(old, 1, 0, epoch)
	scaled.Spec.Replicas = nil
	v = workload.FromDeployment(d, []appsv1.ReplicaSet{*scaled})
	if got := v.Active(); got != 1 {
		t.Errorf("Active() = %d for a ReplicaSet that leaves its replicas to the default, want 1", got)
	}
}

func TestPatches(t *testing.T) {
	marks := map[string]any{
		"dr.backstay.dev/held-by": nil, "dr.backstay.dev/user-paused": nil, "dr.backstay.dev/override-reason": nil,
		"dr.backstay.dev/overridden-by": nil, "dr.backstay.dev/overridden-at": nil, "dr.backstay.dev/held-reason": nil,
	}
	metadata := map[string]any{"resourceVersion": "77", "annotations": marks}
	held := view(gen.Held("ns", "shop"), gen.ResourceVersion("77"))
	stale := held
	stale.Paused = false
	why := workload.Admission{Plan: "shop", Reason: "BackupCompleted", Release: "shop-1.5.0", Rollout: 2, Backup: "b"}
	recorded := maps.Clone(marks)
	recorded["dr.backstay.dev/admitted"] = `{"uid":"uid-web","template":"` + held.Template.Hash +
		`","generation":1,"plan":"shop","reason":"BackupCompleted","release":"shop-1.5.0","rollout":2,"backup":"b"}`
	admitted := map[string]any{"resourceVersion": "77", "annotations": recorded}
	record := map[string]any{
		"dr.backstay.dev/override-reason": nil, "dr.backstay.dev/overridden-by": nil, "dr.backstay.dev/overridden-at": nil,
	}
	paused := view(gen.Held("ns", "shop"), gen.UserPaused(), gen.ResourceVersion("77"))
	for name, tc := range map[string]struct {
		patch []byte
		want  map[string]any
	}{
		"release":                    {workload.ReleasePatch(&held, why), map[string]any{"metadata": admitted, "spec": map[string]any{"paused": nil}}},
		"release what a user paused": {workload.ReleasePatch(&paused, why), map[string]any{"metadata": admitted}},
		"mark a hold again": {workload.RemarkPatch(&held, "shop"), map[string]any{"metadata": map[string]any{
			"resourceVersion": "77", "annotations": map[string]any{"dr.backstay.dev/held-by": "ns/shop"},
		}}},
		"clean a mark that is no hold": {workload.CleanPatch(&stale), map[string]any{"metadata": metadata}},
		"clean what is held": {
			workload.CleanPatch(&held), map[string]any{"metadata": map[string]any{"resourceVersion": "77", "annotations": record}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got map[string]any
			if err := json.Unmarshal(tc.patch, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("patch (-want +got):\n%s", diff)
			}
		})
	}
}

func TestChanged(t *testing.T) {
	base := gen.Deployment("web", gen.RolledOut())
	for name, tc := range map[string]struct {
		change func(*appsv1.Deployment)
		want   bool
	}{
		"nothing":              {func(*appsv1.Deployment) {}, false},
		"a heartbeat":          {func(d *appsv1.Deployment) { d.ResourceVersion = "2"; d.Status.ObservedGeneration = 9 }, false},
		"generation":           {func(d *appsv1.Deployment) { d.Generation, d.Status.ObservedGeneration = 2, 2 }, true},
		"no longer rolled out": {func(d *appsv1.Deployment) { d.Status.AvailableReplicas = 0 }, true},
		"label":                {func(d *appsv1.Deployment) { d.Labels["team"] = "red" }, true},
		"annotation":           {func(d *appsv1.Deployment) { d.Annotations = map[string]string{"a": "b"} }, true},
		"deleted and created":  {func(d *appsv1.Deployment) { d.UID = "another" }, true},
	} {
		t.Run(name, func(t *testing.T) {
			to := base.DeepCopy()
			tc.change(to)
			if got := workload.Deployment.Changed(base, to); got != tc.want {
				t.Errorf("Changed() = %t, want %t", got, tc.want)
			}
		})
	}
}

// A rollout failed when the Deployment controller says so of the generation that is asked for, and for no other reason.
func TestFailed(t *testing.T) {
	for name, tc := range map[string]struct {
		option gen.DeploymentOption
		want   bool
	}{
		"no progress within its deadline": {gen.Changed(func(*appsv1.Deployment) {}), true},
		"held since":                      {gen.Held("ns", "shop"), true},
		"of an older generation":          {gen.Changed(func(d *appsv1.Deployment) { d.Generation++ }), false},
		"paused": {gen.Changed(func(d *appsv1.Deployment) {
			d.Status.Conditions[0].Status, d.Status.Conditions[0].Reason = corev1.ConditionUnknown, "DeploymentPaused"
		}), false},
		"the ReplicaSet was refused": {gen.Changed(func(d *appsv1.Deployment) { d.Status.Conditions[0].Reason = "ReplicaSetCreateError" }), false},
		"not available":              {gen.Changed(func(d *appsv1.Deployment) { d.Status.Conditions[0].Type = appsv1.DeploymentAvailable }), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := view(gen.TimedOut(), tc.option); got.Failed != tc.want {
				t.Errorf("Failed = %t, want %t", got.Failed, tc.want)
			}
		})
	}
}

// A pod that is on its way out still runs.
func TestRevisionCountsItsPods(t *testing.T) {
	for name, tc := range map[string]struct {
		wanted, exist, ready int32
	}{
		"scaled down and still there": {0, 2, 1},
		"scaled up and not yet there": {2, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			d := gen.Deployment("web")
			set := gen.ReplicaSet(d, 1, tc.wanted, epoch)
			set.Status = appsv1.ReplicaSetStatus{Replicas: tc.exist, ReadyReplicas: tc.ready}
			got := workload.FromDeployment(d, []appsv1.ReplicaSet{*set}).Revisions[0]
			if got.Replicas != tc.wanted || got.Pods != 2 || got.Ready != tc.ready {
				t.Errorf("%+v, want 2 pods of which %d are ready, and %d wanted", got, tc.ready, tc.wanted)
			}
		})
	}
}
