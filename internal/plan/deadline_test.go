// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/status"
	"github.com/backstay-dr/backstay/test/gen"
)

// events collects what is told of a release from now on, by reason.
func (s *sim) events(release string, during time.Duration, each func(second int)) []string {
	var told []string
	old := &v1alpha1.AppReleaseStatus{}
	for second := range int(during / time.Second) {
		each(second)
		s.pass(time.Second)
		if r := s.releases[release]; r != nil {
			for _, e := range status.Transitions(r, old, &r.Status) {
				told = append(told, describeEvent(e))
			}
			old = &r.Status
		}
	}
	return told
}

// The deadline once passed silently where it releases nothing.
func TestDeadlineThatPassesIsToldOnce(t *testing.T) {
	s := shopSim(t, "api", "web")
	s.editPlan(shop, gen.Deadline(60, v1alpha1.DeadlineHold))
	s.velero.down = true
	s.set("web", "1.5.0")
	told := s.events("shop-1.5.0", 5*time.Minute, func(second int) {
		if second%45 == 0 {
			s.op.restart()
		}
	})
	told = slices.DeleteFunc(told, func(e string) bool { return e[:2] != "!D" })
	if want := []string{"!DeadlinePassed+plan", "!DeadlinePassed on web+plan"}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
	mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonDeadlinePassed,
		"web: held beyond the deadline of 2026-03-01T09:01:10Z", "(VeleroNotResponding)", "see AppRelease shop-1.5.0", "To start it without a backup")
	if n := status.PassedDeadlines(&v1alpha1.AppReleaseStatus{}, &s.releases["shop-1.5.0"].Status); n != 1 {
		t.Errorf("%d deadlines count as passed", n)
	}
	s.velero.down = false
	s.pass(aWhile)
	s.mustRun("web", "1.5.0")
	mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionTrue, v1alpha1.ReasonReconciled)
}

func TestDeadlineThatIsPutOffIsToldAgainWhenItPasses(t *testing.T) {
	s := shopSim(t, "web")
	s.editPlan(shop, gen.Deadline(60, v1alpha1.DeadlineHold))
	s.velero.down = true
	s.set("web", "1.5.0")
	s.pass(2 * time.Minute)
	s.editPlan(shop, gen.Deadline(600, v1alpha1.DeadlineHold))
	s.pass(moment)
	mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionTrue, v1alpha1.ReasonReconciled)
	s.pass(9 * time.Minute)
	mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonDeadlinePassed)
}

// Whoever paused it knows what it waits for.
func TestDeadlineOfWhatAUserPausedIsNotTold(t *testing.T) {
	s := shopSim(t, "web")
	s.editPlan(shop, gen.Deadline(60, v1alpha1.DeadlineHold))
	s.velero.down = true
	s.edit("web", "user", gen.Paused())
	s.set("web", "1.5.0")
	s.pass(2 * time.Minute)
	mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionTrue, v1alpha1.ReasonReconciled)
}

// A hold that ended while no operator ran does not lend its deadline to the next one of the same template.
func TestPromise1_DeadlineBeginsAnewWhereSomethingStartedBetweenTwoHolds(t *testing.T) {
	s := shopSim(t, "api", "web")
	s.editPlan(shop, gen.Deadline(60, v1alpha1.DeadlineRelease))
	s.velero.down = true
	s.set("web", "1.5.0")
	s.pass(10 * time.Second)
	s.mustHold("web")
	s.away(func() {
		s.escape("web", "1.6.0")
		s.pass(50 * time.Second)
		s.set("web", "1.5.0") // held again
	})
	s.pass(10 * time.Second)
	s.mustHold("web")
}
