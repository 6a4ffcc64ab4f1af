// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/gen"
)

// A plan is decided again for what a decision reads of a release, and for nothing else.
func TestUpdatesOfAReleaseThatLeadToADecision(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*v1alpha1.AppRelease)
		want   bool
	}{
		"who manages its fields": {func(r *v1alpha1.AppRelease) { r.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "argocd"}} }, false},
		"a finalizer":            {func(r *v1alpha1.AppRelease) { r.Finalizers = []string{"example.com/keep"} }, false},
		"its status":             {func(r *v1alpha1.AppRelease) { r.Status.ObservedGeneration++ }, true},
		"its spec":               {func(r *v1alpha1.AppRelease) { r.Generation++ }, true},
		"a label":                {func(r *v1alpha1.AppRelease) { r.Labels = map[string]string{"a": "b"} }, true},
		"an annotation":          {func(r *v1alpha1.AppRelease) { r.Annotations = map[string]string{"a": "b"} }, true},
	} {
		from := gen.Release("shop", "1")
		to := from.DeepCopy()
		to.ResourceVersion = "2"
		tc.change(to)
		if got := releaseChanged.Update(event.UpdateEvent{ObjectOld: from, ObjectNew: to}); got != tc.want {
			t.Errorf("%s: the plan is decided again: %t, want %t", name, got, tc.want)
		}
	}
	if !releaseChanged.Create(event.CreateEvent{Object: gen.Release("shop", "1")}) || !releaseChanged.Delete(event.DeleteEvent{Object: gen.Release("shop", "1")}) {
		t.Error("a release that comes or goes is not seen")
	}
}
