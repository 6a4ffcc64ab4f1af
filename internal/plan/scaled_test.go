// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/gate"
	"github.com/backstay-dr/backstay/internal/plan"
	"github.com/backstay-dr/backstay/test/gen"
)

// heldRollback is a shop that runs 1.5.0, and whose "web" is held with 1.4.2: a ReplicaSet of that is left.
func heldRollback(t *testing.T) *sim {
	t.Helper()
	s := shopSim(t, "api", "web")
	s.set("web", "1.5.0")
	s.pass(aWhile)
	s.velero.down = true
	s.set("web", "1.4.2")
	s.pass(moment)
	s.mustHold("web")
	return s
}

// Kubernetes starts what is held when a workload is scaled up from none and a ReplicaSet of it is left. That has escaped: it
// is told, and backed up.
func TestScalingUpFromNoneWhatIsHeldIsAnEscape(t *testing.T) {
	s := heldRollback(t)
	s.edit("web", "autoscaler", gen.Replicas(0))
	s.pass(moment)
	s.mustHold("web")
	s.edit("web", "autoscaler", gen.Replicas(1))
	s.op.down = true
	s.pass(moment)
	// It is recorded, and scaled again before it is let go.
	recorded := s.releases["shop-1.4.2"].DeepCopy()
	recorded.Status = *plan.Decide(s.op.observe(s.op.caches(), shop), gate.Finding{}).Statuses["shop-1.4.2"]
	s.stored(recorded)
	s.releases[recorded.Name] = recorded
	s.edit("web", "autoscaler", gen.Replicas(2))
	s.op.down = false
	s.op.restart()
	s.pass(moment)
	if n := len(s.releases["shop-1.4.2"].Status.Rollouts); n != 1 {
		t.Errorf("one start is told as %d rollouts", n)
	}
	s.mustRun("web", "1.4.2")
	rec := s.rollout("shop-1.4.2", 0).Workloads[0]
	if rec.StartReason != v1alpha1.StartNotHeld {
		t.Errorf("1.4.2 runs, and its release says %s %s", rec.State, rec.StartReason)
	}
	mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonEscaped)
	mustBe(t, s.releaseCondition("shop-1.4.2", v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonEscaped, "bypassed the gate")
	if got := s.plans[shop].Status.Versions.Running; got != "1.4.2,1.4.2" && got != "1.4.2" {
		t.Errorf("running %q", got)
	}
	s.velero.down = false
	s.pass(aWhile)
	s.mustRun("web", "1.4.2")
	mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionTrue, v1alpha1.ReasonReconciled)
	s.mustRest()
}

// Without a ReplicaSet of it nothing of what is held starts, and scaling down to none starts nothing either.
func TestScalingWhileHeldIsNoEscape(t *testing.T) {
	s := shopSim(t, "web")
	s.velero.down = true
	s.set("web", "1.5.0")
	for _, replicas := range []int32{3, 0, 2} {
		s.edit("web", "autoscaler", gen.Replicas(replicas))
		s.pass(moment)
	}
	s.mustHold("web")
	if rec := s.rollout("shop-1.5.0", 0).Workloads[0]; rec.StartReason != "" {
		t.Errorf("started: %s", rec.StartReason)
	}
	s = heldRollback(t)
	s.edit("web", "autoscaler", gen.Replicas(0))
	s.pass(moment)
	s.mustHold("web")
}

// A hold that goes on under another version has an old beginning. What started under it while nobody looked is no older for
// that: it voids what was backed up in between.
func TestPromise1_LongHoldHidesNoStart(t *testing.T) {
	s := shopSim(t, "api", "web")
	s.editPlan(shop, gen.Deadline(60, v1alpha1.DeadlineHold))
	s.set("web", "1.5.0")
	s.pass(aWhile)
	s.velero.down = true
	s.set("web", "1.4.2")
	s.pass(70 * time.Second)
	s.set("api", "3.0.0")
	s.pass(10 * time.Second)
	before := s.rollout("shop-3.0.0", 0).Backup.Name
	s.away(func() {
		s.edit("web", "autoscaler", gen.Replicas(0))
		s.pass(moment)
		s.edit("web", "autoscaler", gen.Replicas(1)) // starts 1.4.2
		s.pass(moment)
		s.set("web", "1.6.0")
		s.pass(moment)
		s.velero.down = false
		s.pass(time.Minute)
	})
	s.pass(moment)
	if ro := s.rollout("shop-3.0.0", 0); ro.Workloads[0].StartReason != "" && ro.Backup.Name == before {
		t.Errorf("api was let go for %s, by a backup from before web's start", ro.Workloads[0].StartReason)
	}
}

// An escape by scaling is told though the backup was Completed before anybody looked.
func TestEscapeByScalingIsToldWhateverBecameOfTheBackup(t *testing.T) {
	s := shopSim(t, "api", "web")
	s.set("web", "1.5.0")
	s.pass(aWhile)
	s.velero.duration = 30 * time.Second
	s.set("web", "1.4.2")
	s.pass(5 * time.Second)
	s.away(func() {
		s.edit("web", "autoscaler", gen.Replicas(0))
		s.pass(moment)
		s.edit("web", "autoscaler", gen.Replicas(1))
		s.pass(time.Minute)
	})
	s.pass(time.Minute)
	if why := s.rollout("shop-1.4.2", 0).Workloads[0].StartReason; why != v1alpha1.StartNotHeld {
		t.Errorf("it started because of %s", why)
	}
}
