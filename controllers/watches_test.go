// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/gen"
)

// Each controller looks at a plan again for what its decision reads of a release, and for nothing else. That of releases
// writes their statuses itself.
func TestUpdatesOfAReleaseThatLeadToADecision(t *testing.T) {
	for name, tc := range map[string]struct {
		change           func(*v1alpha1.AppRelease)
		plan, releaseToo bool
	}{
		"who manages its fields": {func(r *v1alpha1.AppRelease) { r.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "argocd"}} }, false, false},
		"a finalizer":            {func(r *v1alpha1.AppRelease) { r.Finalizers = []string{"example.com/keep"} }, false, false},
		"its status":             {func(r *v1alpha1.AppRelease) { r.Status.ObservedGeneration++ }, true, false},
		"its spec":               {func(r *v1alpha1.AppRelease) { r.Generation++ }, true, true},
		"a label":                {func(r *v1alpha1.AppRelease) { r.Labels = map[string]string{"a": "b"} }, true, true},
		"an annotation":          {func(r *v1alpha1.AppRelease) { r.Annotations = map[string]string{"a": "b"} }, true, true},
	} {
		from := gen.Release("shop", "1")
		to := from.DeepCopy()
		to.ResourceVersion = "2"
		tc.change(to)
		update := event.UpdateEvent{ObjectOld: from, ObjectNew: to}
		if got := releaseChanged.Update(update); got != tc.plan {
			t.Errorf("%s: the plan is decided again: %t, want %t", name, got, tc.plan)
		}
		if got := releaseAsks.Update(update); got != tc.releaseToo {
			t.Errorf("%s: its releases are decided again: %t, want %t", name, got, tc.releaseToo)
		}
	}
	if !releaseChanged.Create(event.CreateEvent{Object: gen.Release("shop", "1")}) || !releaseChanged.Delete(event.DeleteEvent{Object: gen.Release("shop", "1")}) {
		t.Error("a release that comes or goes is not seen")
	}
}

// The ReplicaSet that an edit starts must not bring forward what waits until the plan's status is written.
func TestReplicaSetLeadsToADecisionAfterAPause(t *testing.T) {
	q := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[ctrl.Request]())
	defer q.ShutDown()
	want := ctrl.Request{NamespacedName: client.ObjectKey{Name: "shop"}}
	h := after(50*time.Millisecond, func(context.Context, client.Object) []ctrl.Request { return []ctrl.Request{want} })
	began := time.Now()
	h.Create(t.Context(), event.CreateEvent{Object: gen.Release("shop", "1")}, q)
	if got, _ := q.Get(); got != want || time.Since(began) < 50*time.Millisecond {
		t.Errorf("%v after %s", got, time.Since(began))
	}
}
