// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/gen"
)

func TestThreeDeploymentsShareOneReleaseAndOneBackup(t *testing.T) {
	s := shopSim(t, "api", "web", "worker")
	for _, name := range []string{"api", "web", "worker"} {
		s.set(name, "1.5.0")
	}
	s.pass(aWhile)
	for _, name := range []string{"api", "web", "worker"} {
		s.mustRun(name, "1.5.0")
	}
	s.mustHaveBackups(1)
	s.mustRest()
}

func TestARevertIsLetGoWithoutABackup(t *testing.T) {
	s := shopSim(t, "web")
	s.velero.down = true
	s.set("web", "1.5.0")
	s.pass(aWhile)
	s.mustHold("web")
	s.set("web", "1.4.2")
	s.pass(time.Second)
	s.mustRun("web", "1.4.2")
	if got := s.rollout("shop-1.5.0", 0).Outcome; got != v1alpha1.OutcomeReverted {
		t.Errorf("the rollout that was taken back ended as %q", got)
	}
}

// The Deployment controller renumbers the ReplicaSet of an older template as soon as somebody asks for it, held or not.
func TestAReturnToAnOlderVersionIsNoRevert(t *testing.T) {
	s := shopSim(t, "web")
	s.set("web", "1.5.0")
	s.pass(aWhile)
	s.mustRun("web", "1.5.0")
	s.velero.down = true
	s.set("web", "1.4.2")
	s.pass(aWhile)
	s.mustHold("web")
	s.velero.down = false
	s.pass(aWhile)
	s.mustRun("web", "1.4.2")
	s.mustHaveBackups(2)
	if v := s.rollout("shop-1.4.2", 0).Backup.Version; v != "1.5.0" {
		t.Errorf("the backup before the return to 1.4.2 says that it captured %q", v)
	}
	s.mustRest()
}

func TestAVersionRolledOutTwiceIsASecondRolloutOfItsRelease(t *testing.T) {
	s := shopSim(t, "web")
	for _, version := range []string{"1.5.0", "1.4.2", "1.5.0"} {
		s.set("web", version)
		s.pass(aWhile)
		s.mustRun("web", version)
	}
	if n := s.rollout("shop-1.5.0", 0).Number; n != 2 {
		t.Errorf("the second rollout of 1.5.0 has number %d", n)
	}
	s.mustHaveBackups(3)
	s.mustRest()
}

func TestEditsWhileHeldShareOneBackup(t *testing.T) {
	s := shopSim(t, "web")
	s.velero.down = true
	s.set("web", "1.5.0")
	s.pass(aWhile)
	s.set("web", "1.5.0", gen.Config("cache", "on"))
	s.pass(aWhile)
	s.set("web", "1.6.0")
	s.pass(aWhile)
	s.mustHold("web")
	s.velero.down = false
	s.pass(aWhile)
	s.mustRun("web", "1.6.0")
	s.mustHaveBackups(1)
	if got := s.rollout("shop-1.5.0", 0).Outcome; got != v1alpha1.OutcomeSuperseded {
		t.Errorf("the rollout that never started ended as %q", got)
	}
	s.mustRest()
}

func TestAnAnnouncedReleaseIsBackedUpAheadAndLetGoAtOnce(t *testing.T) {
	s := shopSim(t, "web")
	s.createRelease(gen.Release(shop, "1.5.0", gen.Deploy()))
	s.pass(aWhile)
	s.mustHaveBackups(1)
	s.set("web", "1.5.0")
	s.pass(time.Second)
	s.mustRun("web", "1.5.0")
	s.pass(aWhile)
	s.mustHaveBackups(1)
	s.mustRest()
}

func TestABackupTakenAheadIsVoidOnceSomethingElseStarted(t *testing.T) {
	s := shopSim(t, "api", "web")
	s.createRelease(gen.Release(shop, "1.6.0", gen.Deploy()))
	s.pass(aWhile)
	s.set("api", "1.5.0")
	s.pass(aWhile)
	s.mustRun("api", "1.5.0")
	s.set("web", "1.6.0")
	s.settle()
	s.mustHold("web")
	s.pass(aWhile)
	s.mustRun("web", "1.6.0")
	s.mustHaveBackups(3)
	s.mustRest()
}

func TestARecreatedReleaseFindsItsBackupAgain(t *testing.T) {
	s := shopSim(t, "web")
	s.createRelease(gen.Release(shop, "1.5.0", gen.Deploy()))
	s.pass(aWhile)
	s.deleteRelease("shop-1.5.0")
	s.createRelease(gen.Release(shop, "1.5.0", gen.Deploy()))
	s.pass(aWhile)
	s.mustHaveBackups(1)
	s.set("web", "1.5.0")
	s.pass(aWhile)
	s.mustRun("web", "1.5.0")
	s.mustHaveBackups(1)
	s.mustRest()
}

func TestFailedBackupsAreTriedAgainHoweverTheyFailed(t *testing.T) {
	for name, phase := range map[string]velerov1.BackupPhase{
		"partially": velerov1.BackupPhasePartiallyFailed,
		"wholly":    velerov1.BackupPhaseFailed,
		"refused":   velerov1.BackupPhaseFailedValidation,
	} {
		t.Run(name, func(t *testing.T) {
			s := shopSim(t, "web")
			s.velero.endings = []velerov1.BackupPhase{phase, phase, phase}
			s.set("web", "1.5.0")
			s.pass(80 * time.Second)
			s.mustHold("web")
			s.mustHaveBackups(3)
			s.pass(10 * time.Minute)
			s.mustRun("web", "1.5.0")
			s.mustHaveBackups(4)
			s.mustRest()
		})
	}
}

func TestAtTheDeadlineThePlanDecides(t *testing.T) {
	for action, released := range map[v1alpha1.DeadlineAction]bool{v1alpha1.DeadlineHold: false, v1alpha1.DeadlineRelease: true} {
		t.Run(string(action), func(t *testing.T) {
			s := shopSim(t, "web")
			s.editPlan(shop, gen.Deadline(60, action))
			s.velero.down = true
			s.set("web", "1.5.0")
			s.pass(50 * time.Second)
			s.mustHold("web")
			s.pass(20 * time.Second)
			if released {
				s.mustRun("web", "1.5.0")
			} else {
				s.mustHold("web")
			}
		})
	}
}

func TestADeletedPlanLetsGoWhatItHeld(t *testing.T) {
	s := shopSim(t, "web")
	s.velero.down = true
	s.set("web", "1.5.0")
	s.pass(aWhile)
	s.mustHold("web")
	s.deletePlan(shop)
	s.pass(aWhile)
	s.mustRun("web", "1.5.0")
}

func TestABackupOvertakenByAnOverrideProtectsNoVersion(t *testing.T) {
	s := shopSim(t, "web")
	s.velero.down = true
	s.set("web", "1.5.0")
	s.pass(aWhile)
	s.edit("web", "admin", override("the shop is down"))
	s.pass(aWhile)
	s.mustRun("web", "1.5.0")
	s.velero.down = false
	s.pass(aWhile)
	for _, b := range s.backups {
		if v := b.Labels[v1alpha1.LabelVersion]; v == "1.4.2" {
			t.Errorf("backup %s began after 1.5.0 started, and says that it captured %s", b.Name, v)
		}
	}
	s.mustRest()
}
