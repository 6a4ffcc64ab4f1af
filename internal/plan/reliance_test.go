// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/gen"
)

// What counts is how old the backup is when it is relied on, not when the workload was held: the operator may have been down
// in between.
func TestPromise1_BackupThatIsTooOldAtTheStartAllowsNothing(t *testing.T) {
	s := shopSim(t, "web")
	s.editPlan(shop, gen.RecoveryPoint(60))
	s.set("web", "1.5.0")
	s.pass(moment)
	s.away(func() { s.pass(218 * time.Second) })
	s.pass(moment)
	s.mustHold("web")
	s.pass(aWhile)
	s.mustRun("web", "1.5.0")
	s.mustHaveBackups(2)
}

// The same where a user resumes it days later.
func TestPromise1_PauseOfAUserThatEndsLateTakesAnotherBackup(t *testing.T) {
	s := shopSim(t, "web")
	s.edit("web", "user", gen.Paused())
	s.set("web", "1.5.0")
	s.pass(time.Minute)
	s.mustHold("web")
	s.mustHaveBackups(1)
	s.now = s.now.Add(50 * time.Hour)
	s.pass(moment)
	s.mustHaveBackups(1)
	s.edit("web", "user", resume())
	s.pass(moment)
	s.mustHold("web")
	s.pass(aWhile)
	s.mustRun("web", "1.5.0")
	s.mustHaveBackups(2)
}

// No backup that takes longer than the objective can ever be relied on. That is told, and tried with growing pauses.
func TestBackupThatIsSlowerThanTheObjectiveIsTold(t *testing.T) {
	s := shopSim(t, "web")
	s.editPlan(shop, gen.RecoveryPoint(60))
	s.velero.duration = 90 * time.Second
	s.set("web", "1.5.0")
	s.pass(97 * time.Second)
	s.mustHold("web")
	mustBe(t, s.releaseCondition("shop-1.5.0", v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonBackupRetrying,
		"longer than the recovery point objective", "spec.objectives.recoveryPointSeconds")
	if protected := s.plans[shop].Status.Versions.Protected; protected != "1.4.2" {
		t.Errorf("a Completed backup protects %q, want 1.4.2", protected)
	}
	s.editPlan(shop, gen.RecoveryPoint(120))
	s.pass(5 * time.Minute)
	s.mustRun("web", "1.5.0")
}

// Velero resets the phase of a backup that it failed when it was restarted, or when a deletion did not succeed.
func TestPromise1_FailedAttemptThatTurnsCompletedAllowsNothing(t *testing.T) {
	s := shopSim(t, "web")
	s.velero.endings = []velerov1.BackupPhase{velerov1.BackupPhaseFailed}
	s.set("web", "1.5.0")
	s.settle()
	s.op.refuses = func(obj client.Object) bool { _, is := obj.(*velerov1.Backup); return is }
	s.pass(6 * time.Second)
	first := s.rollout("shop-1.5.0", 0).Backup
	if first.FailureTime == nil {
		t.Fatalf("the backup did not fail: %+v", first)
	}
	b := s.backups[first.Name].DeepCopy()
	b.Status.Phase, b.Status.FailureReason = velerov1.BackupPhaseCompleted, ""
	s.storeBackup(b)
	s.velero.down = true
	s.pass(5 * time.Second)
	s.mustHold("web") // the release says that it failed
	s.op.refuses = nil
	s.pass(moment)
	s.deleteRelease("shop-1.5.0") // the Backup says it itself
	s.pass(5 * time.Second)
	s.mustHold("web")
	if protected := s.plans[shop].Status.Versions.Protected; protected != "" {
		t.Errorf("it protects %s", protected)
	}
	s.velero.down = false
	s.pass(time.Minute)
	s.mustRun("web", "1.5.0")
	if by := s.rollout("shop-1.5.0", 0).Backup.Name; by == first.Name {
		t.Error("it was admitted by the attempt that failed")
	}
}

// One apply takes a while. Its first workloads may have rolled out when the last one arrives.
func TestOneApplyIsOneRolloutAndOneBackup(t *testing.T) {
	s := shopSim(t, "api", "job", "web")
	s.createRelease(gen.Release(shop, "1.5.0", gen.Deploy()))
	s.pass(aWhile)
	s.set("api", "1.5.0")
	s.set("web", "1.5.0")
	s.pass(4 * time.Second)
	if s.rollout("shop-1.5.0", 0).Outcome != v1alpha1.OutcomeRolledOut {
		t.Fatal("the test expects that the first two have rolled out")
	}
	s.set("job", "1.5.0")
	s.pass(aWhile)
	s.mustRun("job", "1.5.0")
	s.mustHaveBackups(1)
	if n := len(s.releases["shop-1.5.0"].Status.Rollouts); n != 1 {
		t.Errorf("there are %d rollouts", n)
	}
	if got := s.plans[shop].Status.Versions.Protected; got != "1.4.2" {
		t.Errorf("it protects %q", got)
	}
	s.pass(time.Minute)
	s.set("job", "1.5.0", gen.Config("REV", "2")) // is another rollout
	s.pass(aWhile)
	s.mustHaveBackups(2)
}
