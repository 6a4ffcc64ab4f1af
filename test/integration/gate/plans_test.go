// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/gate"
	"github.com/backstay-dr/backstay/internal/workload"
	"github.com/backstay-dr/backstay/test/integration/harness"
)

// holder is the plan that holds "web".
func (s *shop) holder() string {
	s.t.Helper()
	plan, held := workload.Deployment.HeldBy(s.get("web"))
	if !held {
		s.t.Fatal("web is not held")
	}
	return plan
}

// eventually waits for what reaches admission through an informer.
func (s *shop) eventually(what string, condition func() error) {
	s.t.Helper()
	harness.Eventually(s.t, what, 10*time.Second, func(context.Context) error { return condition() })
}

func TestTwoPlansHoldOnce(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.enforce(s.plan("other", v1alpha1.GateModeHold))
	dev := s.as(s.developer)
	for tag := 2; tag < 6; tag++ {
		d := s.mustPatch(dev, image(fmt.Sprint(tag)))
		if !gate.ProbeHeld(workload.Deployment, d, "shop", "other") {
			t.Fatalf("not held: %+v", stateOf(d))
		}
		want := s.held(fmt.Sprint(tag))
		want.Annotations["held-by"] = s.namespace + "/" + s.holder()
		s.is(d, want)
	}
	if d := s.mustPatch(dev, `{"spec":{"paused":false}}`); !gate.ProbeHeld(workload.Deployment, d, "shop", "other") {
		t.Error("resumed")
	}
}

func TestTwoPlansWarnOnce(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.enforce(s.plan("other", v1alpha1.GateModeHold))
	c, warnings := s.listening(s.developer)
	for tag := 2; tag < 6; tag++ {
		s.reset()
		s.mustPatch(c, image(fmt.Sprint(tag)))
		heard := warnings.Take()
		if len(heard) != 1 || !strings.Contains(heard[0], "rollout of web is held by DRPlan "+s.holder()+" ") {
			t.Errorf("held by %s: %q", s.holder(), heard)
		}
	}
}

func TestTwoPlansRememberTheUsersPause(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.enforce(s.plan("other", v1alpha1.GateModeHold))
	dev := s.as(s.developer)
	if d := s.mustPatch(dev, pausedWith("2")); stateOf(d).Annotations["user-paused"] != "true" {
		t.Errorf("forgotten: %+v", stateOf(d))
	}
	if d := s.mustPatch(dev, `{"spec":{"paused":false}}`); stateOf(d).Annotations["user-paused"] != "" || !d.Spec.Paused {
		t.Errorf("remembered: %+v", stateOf(d))
	}
}

func TestTwoPlansBothMustBeOverridden(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.enforce(s.plan("other", v1alpha1.GateModeHold))
	admin := s.as(s.admin)
	// In whatever order the API server asks the plans: more than one try.
	for range 8 {
		_, err := s.patch(admin, overrideWith("2", "go"))
		refused(t, err, "may not override the hold of DRPlan other")
	}
	s.cp.AllowOverride(t, "admin-of-"+s.namespace, s.namespace, "other")
	for tag := 2; tag < 6; tag++ {
		at := s.get("web").ResourceVersion
		d := s.mustPatch(admin, overrideWith(fmt.Sprint(tag), "go"))
		// The record names either.
		d.Annotations[v1alpha1.AnnotationOverriddenAt] = strings.Replace(d.Annotations[v1alpha1.AnnotationOverriddenAt], "/other", "/shop", 1)
		s.is(d, s.overridden(fmt.Sprint(tag), "go", at))
	}
}

func TestPlanThatIsDeletedHoldsNoMore(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	dev := s.as(s.developer)
	s.mustPatch(dev, image("2"))
	if err := s.cp.Client.Delete(t.Context(), s.plan("shop", v1alpha1.GateModeHold)); err != nil {
		t.Fatal(err)
	}
	s.eventually("resumed", func() error { return s.resumed(dev) })
	d := s.mustPatch(dev, image("3"))
	if d.Spec.Paused {
		t.Errorf("still held: %+v", stateOf(d))
	}
}

func TestModeThatIsChangedWhileHeldHoldsNoMore(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	dev := s.as(s.developer)
	s.mustPatch(dev, image("2"))
	plan := s.plan("shop", v1alpha1.GateModeHold)
	err := s.cp.Client.Patch(t.Context(), plan, client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"gate":{"mode":"Observe"}}}`)))
	if err != nil {
		t.Fatal(err)
	}
	s.eventually("resumed", func() error { return s.resumed(dev) })
}

// Until the operator marks it anew the workload carries the name of a plan that is gone. It is held all the same.
func TestPlanTakesOverTheHoldOfADeletedOne(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	dev := s.as(s.developer)
	s.mustPatch(dev, image("2"))
	s.enforce(s.plan("other", v1alpha1.GateModeHold))
	if err := s.cp.Client.Delete(t.Context(), s.plan("shop", v1alpha1.GateModeHold)); err != nil {
		t.Fatal(err)
	}
	s.is(s.mustPatch(dev, `{"spec":{"paused":false}}`), s.held("2"))
	s.is(s.mustPatch(dev, fmt.Sprintf(`{"metadata":{"annotations":{%q:null}},"spec":{"paused":false}}`, v1alpha1.AnnotationHeldBy)), s.held("2"))
	// By no label it would be nobody's.
	s.eventually("taken over", func() error {
		d, err := s.patch(dev, `{"metadata":{"labels":null},"spec":{"paused":false}}`, client.DryRunAll)
		if err == nil && !gate.ProbeHeld(workload.Deployment, d, "other") {
			err = fmt.Errorf("held by %v", stateOf(d))
		}
		return err
	})
}

// Who is asked last is chance: more than one try.
func TestWeakerPlanStealsNoHold(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	dev := s.as(s.developer)
	s.mustPatch(dev, image("2"))
	weak := s.plan("weak", v1alpha1.GateModeHold)
	weak.Spec.Gate.OnDeadline, weak.Spec.Gate.DeadlineSeconds = v1alpha1.DeadlineRelease, 60
	s.enforce(weak)
	mark := fmt.Sprintf(`{"metadata":{"annotations":{%q:"%s/weak"}},`, v1alpha1.AnnotationHeldBy, s.namespace)
	for i := range 10 {
		tag := fmt.Sprint(3 + i)
		s.is(s.mustPatch(dev, image(tag)), s.held(tag))
		s.is(s.mustPatch(dev, `{"spec":{"paused":false}}`), s.held(tag))
		s.is(s.mustPatch(dev, mark+`"spec":{"paused":false}}`), s.held(tag))
		off, err := s.patch(dev, strings.Replace(mark, `"metadata":{`, `"metadata":{"labels":null,`, 1)+`"spec":{"paused":false}}`, client.DryRunAll)
		if err != nil {
			refused(t, err, "DRPlan shop holds web, and another plan would have taken it")
			continue
		}
		s.is(off, s.held(tag))
	}
}

// resumed tries to resume "web".
func (s *shop) resumed(user client.Client) error {
	d, err := s.patch(user, `{"spec":{"paused":false}}`)
	if err == nil && d.Spec.Paused {
		err = fmt.Errorf("held again")
	}
	return err
}
