// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"fmt"
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/gen"
)

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

// restoredBefore is a shop whose "web" came from a restore long ago: Velero's label stays.
func restoredBefore(t *testing.T) *sim {
	t.Helper()
	s := newSim(t)
	d := gen.Deployment("web", gen.Runs("1.4.2"))
	d.Labels = with(d.Labels, velerov1.RestoreNameLabel, "migration-last-year")
	s.createDeployment(d)
	s.pass(time.Minute)
	s.now = s.now.Add(48 * time.Hour)
	return s
}

func TestOldLabelOfARestoreHoldsNothing(t *testing.T) {
	t.Run("plan and change come together", func(t *testing.T) {
		s := restoredBefore(t)
		s.op.down = true
		s.createPlan(gen.Plan(shop, gen.Planned("1.4.2")))
		s.set("web", "1.5.0")
		s.op.down = false
		s.op.restart()
		s.pass(aWhile)
		s.mustRun("web", "1.5.0")
	})
	t.Run("plan and releases are deleted together", func(t *testing.T) {
		s := restoredBefore(t)
		s.createPlan(gen.Plan(shop, gen.Planned("1.4.2")))
		s.pass(time.Minute)
		s.velero.down = true
		s.set("web", "1.5.0")
		s.pass(moment)
		s.op.down = true
		s.deletePlan(shop)
		s.deleteRelease("shop-1.5.0")
		s.op.down = false
		s.op.restart()
		s.pass(moment)
		s.mustRun("web", "1.5.0")
	})
}

// Whoever puts the template back that runs has done what was asked for, though the plan comes later.
func TestRestoredWorkloadIsFreeWhenItsTemplateIsPutBack(t *testing.T) {
	s, inBackup := rolledOut(t)
	s.deletePlan(shop)
	s.deleteRelease("shop-1.5.0")
	s.deleteDeployment("web")
	s.pass(moment)
	inBackup.Labels = with(inBackup.Labels, velerov1.RestoreNameLabel, "the-bad-day")
	s.createDeployment(inBackup)
	old := s.deployments["web"].DeepCopy()
	gen.ApplyToDeployment(old, gen.Runs("1.4.2"))
	set := gen.ReplicaSet(old, 1, 1, s.now) // Velero restores it too
	s.stored(set)
	s.sets[set.Name] = set
	s.pass(moment)
	s.mustHold("web")
	s.set("web", "1.4.2")
	s.pass(moment)
	s.createPlan(gen.Plan(shop, gen.Planned("1.4.2")))
	s.pass(aWhile)
	s.mustRun("web", "1.4.2")
}

// After an outage that was longer than the deadlines each rollout takes one backup, as before them.
func TestEachRolloutTakesOneBackupPastItsDeadlineToo(t *testing.T) {
	names := workloadNames(5)
	s := shopSim(t, names...)
	s.editPlan(shop, gen.Deadline(60, v1alpha1.DeadlineHold))
	s.pass(moment)
	s.velero.down = true
	for i, name := range names {
		s.set(name, fmt.Sprintf("2.0.%d", i))
	}
	s.pass(3 * time.Minute)
	s.velero.down, s.velero.duration = false, 30*time.Second
	s.pass(6 * time.Minute)
	for i, name := range names {
		s.mustRun(name, fmt.Sprintf("2.0.%d", i))
	}
	if n := len(s.backups); n > len(names)+1 { // the two that wait when Velero returns may void one another
		t.Errorf("%d rollouts took %d backups", len(names), n)
	}
}

// What escaped is backed up with the next rollout. That stays so when Velero deletes the backup in the end.
func TestEscapeThatWasBackedUpSinceIsNotToldAgain(t *testing.T) {
	s := shopSim(t, "web")
	s.editPlan(shop, gen.BackupAttempts(1))
	s.gateUp = false
	s.velero.endings = []velerov1.BackupPhase{velerov1.BackupPhaseFailed}
	s.set("web", "1.5.0")
	s.pass(aWhile)
	s.gateUp = true
	s.editPlan(shop)
	s.pass(moment)
	mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonEscaped)
	s.set("web", "1.6.0")
	s.pass(aWhile)
	s.remember()
	clear(s.backups)
	s.tell()
	s.pass(aWhile)
	mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionTrue, v1alpha1.ReasonReconciled)
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

// The plan was created while a rollout was stuck in flight: both revisions run, and to ask for the newer one again starts
// nothing.
func TestRevertInTheMiddleOfARolloutThatThePlanFoundIsLetGo(t *testing.T) {
	s := newSim(t)
	s.createDeployment(gen.Deployment("web", gen.Runs("1.4.2")))
	s.pass(time.Minute)
	s.broken["web"] = true
	s.set("web", "1.5.0")
	s.pass(5 * time.Second)
	s.createPlan(gen.Plan(shop, gen.Planned("1.4.2")))
	s.pass(5 * time.Second)
	s.velero.down = true
	s.set("web", "1.6.0")
	s.pass(moment)
	s.set("web", "1.5.0")
	s.pass(moment)
	if v := view(s.deployments["web"]); v.Held() {
		t.Error("the revert waits for a backup")
	}
}

// A backup that Velero never ends keeps the others of its plan waiting for an hour.
func TestBackupThatNeverEndsKeepsOthersWaitingForAnHour(t *testing.T) {
	names := workloadNames(3)
	s := shopSim(t, names...)
	s.editPlan(shop, gen.Mode(v1alpha1.GateModeObserve))
	s.velero.down = true
	for i, name := range names {
		s.set(name, fmt.Sprintf("2.0.%d", i))
	}
	s.pass(aWhile)
	for _, name := range sorted(s.backups) {
		b := s.backups[name].DeepCopy()
		b.Status.Phase = velerov1.BackupPhaseWaitingForPluginOperations
		s.storeBackup(b)
	}
	before := len(s.backups)
	s.pass(2 * time.Hour)
	if n := len(s.backups); n <= before {
		t.Errorf("still %d backups", n)
	}
}
