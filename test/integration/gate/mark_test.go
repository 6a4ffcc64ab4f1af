// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
	"testing"

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
