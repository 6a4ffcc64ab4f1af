// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

func TestMarkOfAHoldCannotBeForged(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	dev := s.as(s.developer)
	mark := fmt.Sprintf(`{"metadata":{"annotations":{%q:%q,%q:"true"}},`, v1alpha1.AnnotationHeldBy, s.namespace+"/shop", v1alpha1.AnnotationUserPaused)
	s.is(s.mustPatch(dev, mark+`"spec":{"replicas":3}}`), free("1"))
	s.is(s.mustPatch(dev, mark+`"spec":{"paused":true}}`), state{Image: "shop/web:1", Paused: true})
}

func TestStaleMarkOfAHoldIsNoHoldAndGoesWithTheNextWrite(t *testing.T) {
	t.Parallel()
	for name, holder := range map[string]string{"of its own namespace": "%s/shop", "restored from another": "elsewhere-%s/shop"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newEmptyShopOn(t, plane)
			d := s.deployment("web")
			d.Annotations = map[string]string{v1alpha1.AnnotationHeldBy: fmt.Sprintf(holder, s.namespace)}
			s.create(d)
			s.enforce(s.plan("shop", v1alpha1.GateModeHold))
			s.is(s.mustPatch(s.as(s.developer), `{"spec":{"paused":true}}`), state{Image: "shop/web:1", Paused: true})
		})
	}
}

// As a restore of a held Deployment brings it into another namespace: paused, under the mark of a hold that is not of
// this namespace. Nobody holds it here.
func TestHoldOfAnotherNamespaceIsAPauseOfTheUser(t *testing.T) {
	t.Parallel()
	restored := func(t *testing.T) *shop {
		s := newEmptyShopOn(t, plane)
		s.enforce(s.plan("shop", v1alpha1.GateModeHold))
		d := s.deployment("web")
		d.Spec.Paused = true
		d.Annotations = map[string]string{v1alpha1.AnnotationHeldBy: "elsewhere/shop"}
		s.create(d)
		return s
	}
	t.Run("which a resume ends", func(t *testing.T) {
		t.Parallel()
		s := restored(t)
		s.is(s.mustPatch(s.as(s.developer), `{"spec":{"paused":false}}`), free("1"))
	})
	t.Run("which outlives a hold", func(t *testing.T) {
		t.Parallel()
		s := restored(t)
		s.is(s.mustPatch(s.as(s.developer), image("2")), s.heldForUser("2"))
	})
}

// patchStatus sends a JSON merge patch to the status of "web", as somebody who may write it.
func (s *shop) patchStatus(body string) {
	s.t.Helper()
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "web"}}
	if err := s.cp.Client.Status().Patch(s.t.Context(), d, client.RawPatch(types.MergePatchType, []byte(body))); err != nil {
		s.t.Fatal(err)
	}
}

// The annotations of a workload are written with its status too, and there no plan is asked.
func TestStatusOfAWorkloadBringsNoMarkAndTakesNoneAway(t *testing.T) {
	t.Parallel()
	t.Run("a hold", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		s.mustPatch(s.as(s.developer), image("2"))
		s.patchStatus(fmt.Sprintf(`{"metadata":{"annotations":{%q:null}}}`, v1alpha1.AnnotationHeldBy))
		s.is(s.get("web"), s.held("2"))
		s.is(s.mustPatch(s.as(s.developer), `{"spec":{"paused":false}}`), s.held("2"))
	})
	t.Run("a hold, with all annotations", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		s.mustPatch(s.as(s.developer), image("2"))
		s.patchStatus(`{"metadata":{"annotations":null}}`)
		s.is(s.get("web"), s.held("2"))
	})
	t.Run("the record of an override", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		s.patchStatus(fmt.Sprintf(`{"metadata":{"annotations":{%q:"cfo",%q:"because"}}}`, v1alpha1.AnnotationOverriddenBy, v1alpha1.AnnotationOverrideReason))
		s.is(s.get("web"), free("1"))
	})
	t.Run("what is not ours passes", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		s.patchStatus(`{"metadata":{"annotations":{"deployment.kubernetes.io/revision":"7"}},"status":{"observedGeneration":1}}`)
		if d := s.get("web"); d.Annotations["deployment.kubernetes.io/revision"] != "7" || d.Status.ObservedGeneration != 1 {
			t.Errorf("%v %+v", d.Annotations, d.Status)
		}
	})
}

// Nor is a plan asked where none holds.
func TestRecordOfAnOverrideNamesNobodyElseWhereNoPlanHolds(t *testing.T) {
	t.Parallel()
	s := newEmptyShopOn(t, plane)
	s.create(s.plan("shop", v1alpha1.GateModeObserve))
	s.create(s.deployment("web"))
	forged := fmt.Sprintf(`{"metadata":{"annotations":{%q:"cfo",%q:"because",%q:"1"}},`,
		v1alpha1.AnnotationOverriddenBy, v1alpha1.AnnotationOverrideReason, v1alpha1.AnnotationOverriddenAt)
	s.is(s.mustPatch(s.as(s.developer), forged+`"spec":{"template":{"spec":{"containers":[{"name":"web","image":"shop/web:2"}]}}}}`), free("2"))
}

// Without its mark the hold would look like a pause of the user's own, and last for ever.
func TestHoldWhoseMarkIsRemovedIsNeverTakenForAPauseOfTheUser(t *testing.T) {
	t.Parallel()
	removed := fmt.Sprintf(`{"metadata":{"annotations":{%q:null}}}`, v1alpha1.AnnotationHeldBy)
	t.Run("where the plan holds", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		s.mustPatch(s.as(s.developer), image("2"))
		s.is(s.mustPatch(s.as(s.developer), removed), s.held("2"))
		s.is(s.mustPatch(s.as(s.developer), `{"metadata":{"annotations":null}}`), s.held("2"))
	})
	t.Run("where the plan is gone", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		dev := s.as(s.developer)
		s.mustPatch(dev, pausedWith("2"))
		if err := s.cp.Client.Delete(t.Context(), s.plan("shop", v1alpha1.GateModeHold)); err != nil {
			t.Fatal(err)
		}
		s.is(s.mustPatch(dev, `{"metadata":{"annotations":null}}`), s.heldForUser("2"))
		s.eventually("resumed", func() error { return s.resumed(dev) })
		s.is(s.mustPatch(dev, `{"metadata":{"annotations":null}}`), free("2"))
	})
	t.Run("where the label is gone", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		dev := s.as(s.developer)
		s.mustPatch(dev, image("2"))
		s.is(s.mustPatch(dev, fmt.Sprintf(`{"metadata":{"labels":null,"annotations":{%q:null}}}`, v1alpha1.AnnotationHeldBy)), s.held("2"))
	})
}

func TestOnlyTheOperatorSaysWhyAWorkloadWasAdmittedOrWaits(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.revision(1)
	dev, operator := s.as(s.developer), s.operator()
	admitted := func(reason string) string {
		return fmt.Sprintf(`{"metadata":{"annotations":{%q:%q,%q:%q}}}`, v1alpha1.AnnotationAdmitted, reason, v1alpha1.AnnotationHeldReason, reason)
	}
	s.is(s.mustPatch(dev, admitted("forged")), free("1"))
	want := free("1")
	want.Annotations = map[string]string{"admitted": "true", "held-reason": "true"}
	s.is(s.mustPatch(operator, admitted("true")), want)
	s.is(s.mustPatch(dev, admitted("forged")), want)
	s.is(s.mustPatch(dev, `{"metadata":{"annotations":null}}`), want)
	s.patchStatus(admitted("forged"))
	s.is(s.get("web"), want)
	t.Run("over a replace", func(t *testing.T) {
		s := s.in(t)
		d := s.deployment("web")
		if err := dev.Update(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		s.is(d, want)
	})
	t.Run("over a rollout undo, which brings those of the revision", func(t *testing.T) {
		s := s.in(t)
		s.mustPatch(dev, image("2"))
		s.release()
		s.revision(2)
		s.mustPatch(operator, admitted("2"))
		s.cp.Kubectl(t, s.developer, s.namespace).Run("rollout", "undo", "deployment/web")
		want := s.held("1")
		want.Annotations["admitted"], want.Annotations["held-reason"] = "2", "2"
		s.is(s.get("web"), want)
	})
}
