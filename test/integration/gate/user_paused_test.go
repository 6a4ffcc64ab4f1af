// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
	"testing"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// pausedBy changes the template and pauses in one write.
func pausedWith(tag string) string { return `{"spec":{"paused":true,` + image(tag)[len(`{"spec":{`):] }

func TestUsersOwnPauseIsRemembered(t *testing.T) {
	t.Parallel()
	t.Run("from before", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		dev := s.as(s.developer)
		s.mustPatch(dev, `{"spec":{"paused":true}}`)
		s.is(s.mustPatch(dev, image("2")), s.heldForUser("2"))
	})
	t.Run("set with the change", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		s.is(s.mustPatch(s.as(s.developer), pausedWith("2")), s.heldForUser("2"))
	})
	t.Run("created paused", func(t *testing.T) {
		t.Parallel()
		s := newEmptyShopOn(t, plane)
		s.enforce(s.plan("shop", v1alpha1.GateModeHold))
		d := s.deployment("web")
		d.Spec.Paused = true
		s.create(d)
		s.is(s.mustPatch(s.as(s.developer), image("2")), s.heldForUser("2"))
	})
	t.Run("over repeated edits", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		dev := s.as(s.developer)
		s.mustPatch(dev, pausedWith("2"))
		s.is(s.mustPatch(dev, image("3")), s.heldForUser("3"))
		s.is(s.mustPatch(dev, `{"metadata":{"labels":{"a":"b"}}}`), s.heldForUser("3"))
	})
	t.Run("over a replace that drops every annotation", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		dev := s.as(s.developer)
		s.mustPatch(dev, pausedWith("2"))
		d := s.deployment("web")
		d.Spec.Template.Spec.Containers[0].Image = "shop/web:3"
		if err := dev.Update(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		s.is(d, s.heldForUser("3"))
	})
	t.Run("but not where a write leaves the pause of the hold and drops its mark", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		dev := s.as(s.developer)
		s.mustPatch(dev, image("2"))
		d := s.deployment("web")
		d.Spec.Paused = true
		if err := dev.Update(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		s.is(d, s.held("1"))
	})
}

func TestHoldItselfIsNoPauseOfTheUser(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	dev := s.as(s.developer)
	s.mustPatch(dev, image("2"))
	d := s.deployment("web") // replaces, with neither pause nor annotations
	if err := dev.Update(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	s.is(d, s.held("1"))
}

func TestResumeWhileHeldEndsTheUsersPauseAndNotTheHold(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	dev := s.as(s.developer)
	s.mustPatch(dev, pausedWith("2"))
	s.is(s.mustPatch(dev, `{"spec":{"paused":false}}`), s.held("2"))
	s.is(s.mustPatch(dev, image("3")), s.held("3"))
}

func TestUsersPauseOutlivesTheHold(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.mustPatch(s.as(s.developer), pausedWith("2"))
	// The operator leaves the pause, and takes its marks away.
	s.mustPatch(s.operator(), fmt.Sprintf(`{"metadata":{"annotations":{%q:null,%q:null}}}`,
		v1alpha1.AnnotationHeldBy, v1alpha1.AnnotationUserPaused))
	s.is(s.get("web"), state{Image: "shop/web:2", Paused: true})
}

func TestUsersPauseOutlivesAnOverride(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	admin := s.as(s.admin)
	at := s.mustPatch(admin, pausedWith("2")).ResourceVersion
	want := s.overridden("2", "go", at)
	want.Paused = true
	s.is(s.mustPatch(admin, annotation(v1alpha1.AnnotationOverride, "go")), want)
}

func TestForgedPauseMarkIsCorrected(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.is(s.mustPatch(s.as(s.developer), fmt.Sprintf(`{"metadata":{"annotations":{%q:"true"}},`, v1alpha1.AnnotationUserPaused)+image("2")[1:]),
		s.held("2"))
}
