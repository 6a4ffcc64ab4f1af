// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/integration/stage"
)

// Only here: the time that all of it takes.
// Not side by side with others: what is asked here is how soon.
func TestVeleroDownIsToldWithinFiveSecondsAndTheRolloutGoesOnWhenItReturns(t *testing.T) {
	s := newShop(t)
	s.roll("web", "2")
	ready := s.awaitCondition(&v1alpha1.AppRelease{}, "shop-2", v1alpha1.ConditionReady, v1alpha1.ReasonVeleroNotResponding, 5*time.Second)
	s.says(ready.Message, "web", "Velero has not picked up backup", "see that its server runs", "Held since",
		"kubectl -n "+s.namespace+" annotate deployment web "+v1alpha1.AnnotationOverride)
	s.mustBeHeld("web")
	s.awaitPlanHeldFor(v1alpha1.ReasonVeleroNotResponding)
	s.complete(s.awaitBackup("shop-2", 0))
	s.awaitStarted("web", "2")
	s.backupsAre(1)
}

// awaitPlanHeldFor waits until the plan says why "web" is held.
func (s *shop) awaitPlanHeldFor(reason string) {
	s.Helper()
	s.await("held on the plan for "+reason, patience, func() (bool, any) {
		held := s.current().Status.Held
		return len(held) == 1 && held[0].Reason == reason, held
	})
}

// Only here: what Velero writes comes through its CRD, the watch and the cache.
func TestQueueAndProgressAreToldOnTheRelease(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.roll("web", "2")
	backup := s.awaitBackup("shop-2", 0)
	s.pass(backup, velerov1.BackupPhaseQueued, map[string]any{"queuePosition": 3})
	s.says(s.awaitReady("shop-2", v1alpha1.ReasonBackupQueued).Message, "waits in Velero's queue")
	if got := s.release("shop-2").Status.Rollouts[0].Backup.QueuePosition; got != 3 {
		t.Errorf("queuePosition is %d", got)
	}
	s.pass(backup, velerov1.BackupPhaseInProgress, map[string]any{"queuePosition": nil, "progress": map[string]int{"totalItems": 40, "itemsBackedUp": 10}})
	s.awaitReady("shop-2", v1alpha1.ReasonBackupInProgress)
	b := s.release("shop-2").Status.Rollouts[0].Backup
	if b.QueuePosition != 0 || b.TotalItems == nil || *b.TotalItems != 40 || *b.ItemsBackedUp != 10 || b.StartTime == nil {
		t.Errorf("the backup is told as %s", show(b))
	}
	s.pass(backup, velerov1.BackupPhaseCompleted, nil)
	s.awaitStarted("web", "2")
}

// Only here: the events, in the namespaces of those who may read them.
func TestFailedBackupIsTriedAgainAndThenAPersonIsCalled(t *testing.T) {
	t.Parallel()
	const secret = "bucket acme is full"
	s := newShop(t, func(p *v1alpha1.DRPlan) { p.Spec.Gate.BackupAttempts = 2 })
	s.roll("web", "2")
	first := s.awaitBackup("shop-2", 0)
	s.pass(first, velerov1.BackupPhaseFailed, map[string]any{"failureReason": secret})
	s.says(s.awaitReady("shop-2", v1alpha1.ReasonBackupRetrying).Message, "the next attempt follows at", "is Failed")
	s.warns(s.awaitEvent("AppRelease", "shop-2", "BackupFailed"), first, "attempt 1")
	s.warns(s.awaitEventIn(stage.VeleroNamespace, "Backup", first, "BackupFailed"), secret)
	s.request("shop-2", "1")
	second := s.awaitAttempt("shop-2", 0, 2)
	s.pass(second, velerov1.BackupPhaseFailed, map[string]any{"failureReason": secret})
	s.awaitReady("shop-2", v1alpha1.ReasonBackupFailed)
	s.warns(s.awaitEvent("AppRelease", "shop-2", "BackupStalled"), "keeps failing")
	s.warns(s.awaitEvent("DRPlan", "shop", "BackupStalled"), "keeps failing")
	s.awaitPlan(v1alpha1.ConditionReady, v1alpha1.ReasonBackupFailed)
	s.mustBeHeld("web")
	s.tellsNobody(secret)
}

// tellsNobody fails the test if tenants can read a text on the plan, a release, or in an event.
func (s *shop) tellsNobody(text string) {
	s.Helper()
	events := &eventsv1.EventList{}
	if err := s.stage.Live.List(s.Context(), events, client.InNamespace(s.namespace)); err != nil {
		s.Fatal(err)
	}
	if told := show(s.current().Status) + show(s.release("shop-2").Status) + show(events); contains(told, text) {
		s.Errorf("tenants are told %q:\n%s", text, told)
	}
}

// request asks for another attempt at the backup of a release, as the message says.
func (s *shop) request(release, value string) {
	s.Helper()
	s.patch(s.release(release), fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, v1alpha1.AnnotationRetryRequestedAt, value))
}

// Only here: the deletion of a Backup in Velero's namespace leads to its plan.
func TestBackupDeletedByHandWhileWaitingCountsAsFailed(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.roll("web", "2")
	first := s.awaitBackup("shop-2", 0)
	s.pass(first, velerov1.BackupPhaseInProgress, nil)
	s.awaitReason("web", "reason="+v1alpha1.ReasonBackupInProgress) // nothing is due any more
	s.delete(s.backup(first))
	s.says(s.awaitReady("shop-2", v1alpha1.ReasonBackupRetrying).Message, "is Deleted; the next attempt follows at")
	s.mustBeHeld("web")
	second := s.awaitAttempt("shop-2", 0, 2)
	if second == first {
		t.Fatalf("the name %s is used again: Velero fails a backup whose name is in the bucket", first)
	}
	s.complete(second)
	s.awaitStarted("web", "2")
}

// Only here: RBAC and the policy let the operator touch a Backup.
func TestBackupThatVeleroForgotIsTouched(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.roll("web", "2")
	backup := s.awaitBackup("shop-2", 0)
	long := time.Now().Add(-time.Minute).UTC().Format(time.RFC3339)
	s.patch(s.backup(backup), fmt.Sprintf(`{"metadata":{"annotations":{"dr.backstay.dev/touched":%q}}}`, long))
	s.pass(backup, velerov1.BackupPhaseReadyToStart, nil)
	s.await("touched", patience, func() (bool, any) {
		b := s.backup(backup)
		return b.Annotations["dr.backstay.dev/touched"] != long, b.Annotations
	})
	s.complete(backup)
	s.awaitStarted("web", "2")
}
