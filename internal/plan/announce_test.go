// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/gen"
)

// CI records a build, and a later step announces its rollout: the backup is taken ahead.
func TestReleaseThatWasRecordedCanBeAnnounced(t *testing.T) {
	s := shopSim(t, "web")
	s.createRelease(gen.Release(shop, "1.5.0"))
	s.pass(aWhile)
	s.mustHaveBackups(0)
	s.editRelease("shop-1.5.0", gen.Deploy())
	s.pass(aWhile)
	s.mustHaveBackups(1)
	mustBe(t, s.releaseCondition("shop-1.5.0", v1alpha1.ConditionBackedUp), metav1.ConditionTrue, v1alpha1.ReasonBackupCompleted)
	s.set("web", "1.5.0")
	s.pass(aWhile)
	s.mustRun("web", "1.5.0")
	s.mustHaveBackups(1)
}

// A version that has rolled out before can be announced again, by whoever made its release.
func TestVersionThatRolledOutBeforeCanBeAnnouncedAgain(t *testing.T) {
	s := shopSim(t, "web")
	for _, version := range []string{"1.5.0", "1.4.2"} {
		s.set("web", version)
		s.pass(aWhile)
	}
	s.editRelease("shop-1.5.0", gen.Deploy())
	s.pass(aWhile)
	s.mustHaveBackups(3)
	if ro := s.rollout("shop-1.5.0", 0); ro.Number != 2 || ro.Cause != v1alpha1.CauseAhead || ro.Backup.Phase != string(velerov1.BackupPhaseCompleted) {
		t.Errorf("rollout %d of cause %s, backup %+v", ro.Number, ro.Cause, ro.Backup)
	}
	s.set("web", "1.5.0")
	s.pass(aWhile)
	s.mustRun("web", "1.5.0")
	s.mustHaveBackups(3)
	s.editRelease("shop-1.5.0", gen.Record())
	s.editRelease("shop-1.5.0", gen.Deploy())
	s.pass(aWhile)
	s.mustHaveBackups(4) // what was announced before is announced again
	s.mustRest()
}

// A rollout that is open is what was announced; an old backup that was taken ahead is of no use to it.
func TestAnnouncementIsSatisfiedByARolloutThatIsOpen(t *testing.T) {
	t.Run("held", func(t *testing.T) {
		s := shopSim(t, "web")
		s.set("web", "1.5.0")
		s.pass(moment)
		s.editRelease("shop-1.5.0", gen.Deploy())
		s.pass(aWhile)
		s.mustRun("web", "1.5.0")
		s.mustHaveBackups(1)
	})
	t.Run("ahead", func(t *testing.T) {
		s := shopSim(t, "web")
		s.createRelease(gen.Release(shop, "1.5.0", gen.Deploy()))
		s.pass(aWhile)
		s.editRelease("shop-1.5.0", gen.Record())
		s.editRelease("shop-1.5.0", gen.Deploy())
		s.pass(aWhile)
		s.mustHaveBackups(1)
	})
	t.Run("ahead, and too old by now", func(t *testing.T) {
		s := shopSim(t, "web")
		s.createRelease(gen.Release(shop, "1.5.0", gen.Deploy()))
		s.pass(aWhile)
		s.now = s.now.Add(25 * time.Hour)
		s.editRelease("shop-1.5.0", gen.Record())
		s.editRelease("shop-1.5.0", gen.Deploy())
		s.pass(aWhile)
		s.mustHaveBackups(2)
		s.set("web", "1.5.0")
		s.pass(aWhile)
		s.mustRun("web", "1.5.0")
		s.mustHaveBackups(2)
	})
}

// While the gate takes no backups an announcement waits for it, and says so.
func TestAnnouncementWaitsForTheGate(t *testing.T) {
	s := shopSim(t, "web")
	s.set("web", "1.5.0")
	s.pass(aWhile)
	s.editPlan(shop, gen.Mode(v1alpha1.GateModeDisabled))
	s.editRelease("shop-1.5.0", gen.Deploy())
	s.pass(moment)
	mustBe(t, s.releaseCondition("shop-1.5.0", v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonGateDisabled)
	s.editPlan(shop, gen.Mode(v1alpha1.GateModeHold))
	s.pass(aWhile)
	mustBe(t, s.releaseCondition("shop-1.5.0", v1alpha1.ConditionReady), metav1.ConditionTrue, v1alpha1.ReasonBackupCompleted)
}

// What a restore brought back announces nothing until its spec changes.
func TestRestoredReleaseAnnouncesNothingUntilItsSpecChanges(t *testing.T) {
	s := shopSim(t, "web")
	s.createRelease(gen.Release(shop, "1.5.0", gen.Deploy(), gen.Label(velerov1.RestoreNameLabel, "restore-1")))
	s.pass(aWhile)
	s.mustHaveBackups(0)
	s.editRelease("shop-1.5.0", gen.Record())
	s.editRelease("shop-1.5.0", gen.Deploy())
	s.pass(aWhile)
	s.mustHaveBackups(1)
}

func TestDuplicateSaysHowToAnnounceTheFirst(t *testing.T) {
	s := shopSim(t, "web")
	s.createRelease(gen.Release(shop, "1.5.0", gen.Named("build-7")))
	s.pass(moment)
	s.createRelease(gen.Release(shop, "1.5.0", gen.Deploy()))
	s.pass(moment)
	mustBe(t, s.releaseCondition("shop-1.5.0", v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonDuplicate,
		"duplicates AppRelease build-7", `kubectl -n ns patch apprelease build-7 --type merge -p '{"spec":{"intent":"Deploy"}}'`)
	s.editRelease("build-7", gen.Deploy())
	s.pass(moment)
	mustBe(t, s.releaseCondition("shop-1.5.0", v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonDuplicate,
		`'{"spec":{"intent":"Record"}}', and then the same with "Deploy"`)
}
