// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// Only here: what the cache of the manager keeps.
// Whoever may create releases fills the operator's memory with no annotation of theirs: 400 of 255 KB each took it from 94
// to 286 MB.
func TestAnnotationsOfReleasesAreNotKeptInMemory(t *testing.T) {
	t.Parallel()
	s := emptyShop(t)
	const n, each = 40, 2 << 10
	for i := range n {
		r := s.announce(fmt.Sprintf("ghost-%d", i), fmt.Sprint(i), v1alpha1.IntentRecord)
		r.Spec.Plan = "ghost"
		r.Annotations = map[string]string{"note": strings.Repeat("x", 200<<10), v1alpha1.AnnotationRetryRequestedAt: strings.Repeat("y", 50<<10)}
		s.create(r)
	}
	list := &v1alpha1.AppReleaseList{}
	s.await("the operator has seen them", patience, func() (bool, any) {
		if err := operator.Manager.GetCache().List(t.Context(), list, client.InNamespace(s.namespace)); err != nil {
			t.Fatal(err)
		}
		return len(list.Items) == n, len(list.Items)
	})
	for i := range list.Items {
		cut := len(list.Items[i].Annotations[v1alpha1.AnnotationRetryRequestedAt])
		raw, err := json.Marshal(list.Items[i])
		if err != nil {
			t.Fatal(err)
		}
		if len(raw)-cut > each || cut > 4096 {
			t.Fatalf("%d bytes are kept of a release, and %d of its annotation", len(raw), cut)
		}
	}
}

// Only here: what the API server takes from a write of the status.
// The operator writes a status on an object of which its cache has kept no foreign label, annotation, owner or finalizer.
// The API server takes none of that from such a write.
func TestStatusOfAPlanAndReleaseIsWrittenWithoutLosingMetadata(t *testing.T) {
	t.Parallel()
	s := emptyShop(t)
	s.create(s.deployment("web", "1"))
	plan, release := s.plan("shop"), s.announce("shop-1", "1", v1alpha1.IntentRecord)
	for _, obj := range []client.Object{plan, release} {
		obj.SetLabels(map[string]string{"team": "a"})
		obj.SetAnnotations(map[string]string{"note": "x", v1alpha1.AnnotationRetryRequestedAt: "now"})
		obj.SetFinalizers([]string{"example.com/wait"})
		obj.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "v1", Kind: "Pod", Name: "x", UID: "y"}})
		s.create(obj)
	}
	s.awaitSettled("shop")
	s.await("the status of the release", patience, func() (bool, any) {
		r := s.release("shop-1")
		return len(r.Status.Conditions) > 0, r
	})
	for _, obj := range []client.Object{s.current(), s.release("shop-1")} {
		if obj.GetLabels()["team"] != "a" || obj.GetAnnotations()["note"] != "x" || len(obj.GetFinalizers()) != 1 || len(obj.GetOwnerReferences()) != 1 {
			t.Errorf("lost on %s: %v %v %v %v", obj.GetName(), obj.GetLabels(), obj.GetAnnotations(), obj.GetFinalizers(), obj.GetOwnerReferences())
		}
	}
	for _, obj := range []client.Object{plan, release} {
		s.patch(obj, `{"metadata":{"finalizers":null}}`)
	}
}
