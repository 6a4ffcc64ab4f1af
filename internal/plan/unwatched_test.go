// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/gate"
	"github.com/backstay-dr/backstay/internal/plan"
	"github.com/backstay-dr/backstay/test/gen"
)

// away lets things happen while no operator looks.
func (s *sim) away(do func()) {
	s.op.down = true
	do()
	s.op.down = false
	s.op.restart()
}

// escape starts something past the gate.
func (s *sim) escape(name, version string, more ...gen.DeploymentOption) {
	s.gateUp = false
	s.set(name, version, append(more, resume())...)
	s.gateUp = true
	s.pass(moment)
}

// What the workload itself started meanwhile voids the backup, whatever its version is.
func TestPromise1_BackupFromBeforeAnUnseenStartOfTheSameVersionAllowsNothing(t *testing.T) {
	s := shopSim(t, "api", "web")
	s.createRelease(gen.Release(shop, "1.5.0", gen.Deploy()))
	s.pass(aWhile)
	s.away(func() {
		s.broken["web"] = true // so that some pods of the version before stay
		s.escape("web", "1.5.0")
		s.set("web", "1.5.0", gen.Config("REV", "2"))
		s.pass(moment)
		s.broken["web"] = false
	})
	s.pass(aWhile)
	s.mustRun("web", "1.5.0")
	s.mustHaveBackups(3) // one ahead, one of what escaped, one before the last change
}

// A backup that is left from a plan of the same name says nothing of what happened while there was none.
func TestPromise1_BackupOfAnEarlierPlanAllowsNothing(t *testing.T) {
	s := shopSim(t, "api", "web")
	s.createRelease(gen.Release(shop, "1.5.0", gen.Deploy()))
	s.pass(aWhile)
	s.deletePlan(shop)
	s.set("api", "1.4.3")
	s.pass(aWhile)
	s.createPlan(gen.Plan(shop, gen.Planned("1.4.2")))
	s.pass(aWhile)
	s.set("web", "1.5.0")
	s.pass(aWhile)
	s.mustRun("web", "1.5.0")
	s.mustHaveBackups(2)
}

// The template that was last let through is no revert where something else runs by now, though its ReplicaSet is older.
func TestPromise1_TakingBackWhatNobodySawStartIsNoRevert(t *testing.T) {
	s := shopSim(t, "api", "web")
	s.set("web", "1.6.0")
	s.pass(aWhile)
	s.set("web", "1.4.2")
	s.pass(aWhile)
	s.set("web", "1.7.0")
	s.pass(aWhile)
	before := len(s.backups)
	s.velero.down = true
	s.set("web", "1.8.0")
	s.pass(moment)
	s.away(func() {
		s.escape("web", "1.6.0")
		s.pass(moment)
		s.set("web", "1.7.0")
		s.pass(moment)
	})
	s.pass(moment)
	s.mustHold("web")
	s.velero.down = false
	s.pass(aWhile)
	s.mustRun("web", "1.7.0")
	if len(s.backups) == before {
		t.Error("it started without a backup of what ran")
	}
}

// Between the release and its record the operator may be killed, and the workload edited.
func TestStartIsRecordedThoughTheWorkloadIsHeldAgain(t *testing.T) {
	s := shopSim(t, "web")
	s.set("web", "1.5.0")
	s.passUntilLetGo("web")
	s.away(func() {
		s.pass(moment)
		s.set("web", "1.6.0")
	})
	s.pass(aWhile)
	ro := s.rollout("shop-1.5.0", 0)
	if why := ro.Workloads[0].StartReason; why != v1alpha1.StartBackupCompleted || ro.AdmittedTime == nil {
		t.Errorf("1.5.0 started, and is recorded as started %q at %v", why, ro.AdmittedTime)
	}
	if was := s.rollout("shop-1.6.0", 0).PreviousVersion; was != "1.5.0" {
		t.Errorf("1.6.0 came after %q, want 1.5.0", was)
	}
	s.mustRun("web", "1.6.0")
}

// What nothing allowed is told at once, and not when it has rolled out.
func TestEscapeOfWhatIsHeldIsRecordedAtOnce(t *testing.T) {
	s := shopSim(t, "web")
	s.velero.down = true
	s.set("web", "1.5.0")
	s.pass(moment)
	s.gateUp = false
	s.edit("web", "user", resume())
	s.settle()
	if why := s.rollout("shop-1.5.0", 0).Workloads[0].StartReason; why != v1alpha1.StartNotHeld {
		t.Errorf("it is recorded as started because of %q", why)
	}
}

// A backup in Velero's queue captures what runs when its turn comes, also where nothing is left that waits for it.
func TestPromise2_QueuedBackupOfADeletedReleaseClaimsNoVersionThatIsGone(t *testing.T) {
	s := shopSim(t, "web")
	s.velero.down = true
	s.set("web", "1.5.0")
	s.pass(moment)
	s.deletePlan(shop)
	s.pass(moment)
	s.deleteRelease("shop-1.5.0")
	s.createPlan(gen.Plan(shop, gen.Planned("1.5.0")))
	s.pass(moment)
	s.velero.down = false
	s.pass(aWhile)
	s.mustRun("web", "1.5.0")
	s.mustRest() // and the labels tell the truth
	if v := s.plans[shop].Status.Versions.Protected; v != "" {
		t.Errorf("the plan says that %s is protected", v)
	}
}

// A plan of which others move everything asks for no probe: a hundred plans for one workload are no hundred probes.
func TestOnlyThePlanThatMovesAWorkloadProbesIt(t *testing.T) {
	m := facts.Member{Selected: true, SharedWith: []string{"abc"}}
	m.Name = "web"
	in := facts.Input{Now: time.Unix(1000, 0), Name: shop, Plan: gen.Plan(shop), Members: []facts.Member{m}}
	g := gate.Installed{Served: true, Fingerprint: "x"}
	f, known := gate.Assess(plan.GateSubject(in), g)
	if !known || f.Condition.Status != metav1.ConditionUnknown || f.Condition.Reason != v1alpha1.ReasonOverlappingPlans {
		t.Errorf("it needs a probe: %t, and says %+v", !known, f.Condition)
	}
	in.Members[0].Driver = true
	subject := plan.GateSubject(in)
	if _, known = gate.Assess(subject, g); known || subject.Target.Name != "web" {
		t.Errorf("the plan that moves it needs no probe, or of %v", subject.Target)
	}
}
