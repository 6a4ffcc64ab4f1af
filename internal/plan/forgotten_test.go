// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/plan"
	"github.com/backstay-dr/backstay/test/gen"
)

// The release is deleted between the admission and its record, while no operator runs: nothing tells of the start but the
// admission itself, and a backup from before it allows nothing.
func TestPromise1_AdmissionWhoseRecordIsGoneIsStillAStart(t *testing.T) {
	s := shopSim(t, "api", "web")
	s.createRelease(gen.Release(shop, "1.6.0", gen.Deploy()))
	s.pass(aWhile)
	s.set("web", "1.5.0")
	s.admitUnrecorded("web")
	s.away(func() {
		s.now = s.now.Add(time.Second)
		s.roll()
		s.deleteRelease("shop-1.5.0")
		s.now = s.now.Add(time.Second)
		s.roll()
	})
	s.pass(aWhile)
	s.set("api", "1.6.0")
	s.pass(aWhile)
	if w := s.plans[shop].Status.Workloads; w[1].Version != "1.5.0" {
		t.Errorf("the plan remembers %s of web", w[1].Version)
	}
}

// Argo CD prunes the record of the previous version while the next one hangs; a rollback follows.
func TestPrunedReleaseOfThePreviousVersionMakesNoEscape(t *testing.T) {
	for _, recreate := range []bool{false, true} {
		s := shopSim(t, "api", "web")
		s.set("web", "1.5.0")
		s.pass(aWhile)
		s.broken["web"] = true
		s.set("web", "1.6.0")
		s.pass(aWhile)
		s.deleteRelease("shop-1.5.0") // Argo CD prunes it
		s.pass(aWhile)
		s.noEscape()
		if recreate {
			s.createRelease(gen.Release(shop, "1.5.0", gen.Deploy()))
			s.pass(aWhile)
		}
		s.set("web", "1.5.0") // git revert
		s.pass(moment)
		s.roll()
		s.pass(moment)
		s.noEscape()
		s.broken["web"] = false
		s.pass(aWhile)
	}
}

// A release remembers ten rollouts. More adopted ReplicaSets than that are no reason to report them in turn for ever.
func TestManyAdoptedReplicaSetsAreReportedInBounds(t *testing.T) {
	for _, n := range []int{5, 10, 11} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s := shopSim(t, "api", "web")
			for i := range n {
				s.edit("web", "user", gen.Paused())
				s.adopts("web", gen.Runs("6.6.6"), gen.Config("N", string(rune('a'+i))))
			}
			for range 300 {
				s.now = s.now.Add(time.Second)
				s.backUp()
				for range 5 {
					s.op.work()
				}
			}
			r := s.rollout("shop-6.6.6", 0)
			if r.Number > int32(n) {
				t.Errorf("livelock")
			}
		})
	}
}

// Many fixes under a disabled gate leave the oldest revision as the one that serves.
func TestWhatServesIsRememberedThroughManyFixes(t *testing.T) {
	s := shopSim(t, "api", "web")
	s.editPlan(shop, gen.Mode(v1alpha1.GateModeDisabled))
	s.pass(moment)
	s.broken["web"] = true
	for i := range 14 {
		s.set("web", "1.5.0", gen.Config("TRY", string(rune('a'+i))))
		s.pass(moment)
		d := s.deployments["web"]
		for _, set := range s.setsOf(d) { // cleanupUnhealthyReplicas
			if !sameTemplate(&set.Spec.Template, &d.Spec.Template) && set.Name != "web-1" {
				s.scale(set, 0)
			}
		}
		s.pass(moment)
	}
	s.editPlan(shop, gen.Mode(v1alpha1.GateModeHold))
	s.pass(aWhile)
	s.noEscape()
}

// A status from before announcements were counted.
func TestUpgradeAnnouncesNothingAgain(t *testing.T) {
	s := shopSim(t, "api", "web")
	for _, v := range []string{"1.5.0", "1.6.0", "1.7.0"} {
		s.createRelease(gen.Release(shop, v, gen.Deploy()))
		s.pass(aWhile)
		s.set("web", v)
		s.set("api", v)
		s.pass(time.Minute)
	}
	n := len(s.backups)
	s.away(func() {
		for _, name := range sorted(s.releases) {
			r := s.releases[name].DeepCopy()
			r.Status.AnnouncedGeneration = 0
			s.stored(r)
			s.releases[name] = r
		}
		s.tell()
	})
	s.pass(5 * time.Minute)
	if len(s.backups) != n {
		t.Errorf("%d backups, %d after the upgrade", n, len(s.backups))
	}
}

// While its controller has not looked at the new generation nothing is known of it.
func TestFailedRolloutStaysFailedWhenItIsScaled(t *testing.T) {
	s := shopSim(t, "web")
	s.broken["web"] = true
	s.set("web", "1.5.0")
	s.pass(11 * time.Minute)
	mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonRolloutFailed)
	s.edit("web", "autoscaler", gen.Replicas(3))
	s.settle()
	mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonRolloutFailed)
}

// A workload that another plan moved, and that came back, is known by what runs: an announced backup serves it, and a revert is one.
func TestPlanFollowsWhatAnotherPlanAdmitted(t *testing.T) {
	s := movedByAnotherPlan(t)
	n := len(s.backups)
	s.createRelease(gen.Release(shop, "1.6.0", gen.Deploy()))
	s.pass(aWhile)
	s.set("web", "1.6.0")
	s.pass(time.Minute)
	s.mustRun("web", "1.6.0")
	s.mustHaveBackups(n + 1)

	s = movedByAnotherPlan(t)
	s.velero.down = true
	s.set("web", "1.6.0")
	s.pass(aWhile)
	s.set("web", "1.5.0")
	s.pass(aWhile)
	s.mustRun("web", "1.5.0")
}

// The cache shows the reason of an override as it may be printed. A look at the API server must compare the same.
func TestOverrideOfTwoLinesIsRecorded(t *testing.T) {
	s := shopSim(t, "api", "web")
	s.probeFailed()
	s.edit("web", admin, gen.Runs("1.5.0"), override("fire\nin production"))
	n, conflicts := 0, 0
	for range 50 {
		seen := s.op.caches()
		in := s.op.observe(seen, shop)
		d := plan.Decide(in, s.op.finding(in))
		n++
		if err := s.op.apply(seen, in, d); err != nil {
			conflicts++
		}
	}
	if len(s.releases) == 0 {
		t.Error("nothing was ever recorded")
	}
}

// admitUnrecorded lets time pass until the operator admits a workload, and not until it has recorded that.
func (s *sim) admitUnrecorded(name string) {
	const steps = 50
	held := func() bool { return view(s.deployments[name]).HeldBy != "" }
	for range steps {
		s.now = s.now.Add(time.Second)
		s.backUp()
		for range steps {
			if !held() || !s.op.work() {
				break
			}
		}
		if !held() {
			return
		}
	}
	s.Fatalf("%s is still held", name)
}
