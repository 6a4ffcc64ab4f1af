// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"strings"
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/integration/stage"
)

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

func TestUnknownPhaseIsWaitedFor(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.roll("web", "2")
	backup := s.awaitBackup("shop-2", 0)
	s.pass(backup, velerov1.BackupPhaseWaitingForPluginOperationsPartiallyFailed, nil)
	s.awaitReady("shop-2", v1alpha1.ReasonBackupInProgress)
	s.mustBeHeld("web")
}

// failures are the ways in which a backup fails, with what everybody is told, and what only administrators of Velero are.
var failures = map[string]struct {
	phase        velerov1.BackupPhase
	more         map[string]any
	says, secret string
}{
	"PartiallyFailed": {velerov1.BackupPhasePartiallyFailed, map[string]any{"errors": 2}, "is PartiallyFailed (errors: 2)", ""},
	"Failed":          {velerov1.BackupPhaseFailed, map[string]any{"failureReason": "bucket acme is full"}, "is Failed", "bucket acme is full"},
	"FailedValidation": {
		velerov1.BackupPhaseFailedValidation, map[string]any{"validationErrors": []string{"no location acme"}},
		"is FailedValidation (validation errors: 1)", "no location acme",
	},
	"Completed, without the hooks that are required": {
		velerov1.BackupPhaseCompleted, map[string]any{"hookStatus": map[string]int{"hooksAttempted": 1}},
		"is Failed (1 hooks ran and 0 of them failed, where the plan requires 2", "",
	},
	"Completed, with a failure reason": {
		velerov1.BackupPhaseCompleted, map[string]any{"failureReason": "half of acme was written"}, "is Failed", "half of acme was written",
	},
}

func TestFailedBackupIsTriedAgainAndThenAPersonIsCalled(t *testing.T) {
	t.Parallel()
	for name, failure := range failures {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, attempts(2), func(p *v1alpha1.DRPlan) { p.Spec.Backup.MinHooks = 2 })
			s.roll("web", "2")
			first := s.awaitBackup("shop-2", 0)
			s.pass(first, failure.phase, failure.more)
			s.says(s.awaitReady("shop-2", v1alpha1.ReasonBackupRetrying).Message, "the next attempt follows at", failure.says)
			s.warns(s.awaitEvent("AppRelease", "shop-2", "BackupFailed"), first, "attempt 1")
			s.warns(s.awaitEventIn(stage.VeleroNamespace, "Backup", first, "BackupFailed"), failure.secret)
			s.request("shop-2", "1")
			second := s.awaitAttempt("shop-2", 0, 2)
			s.mustBeHeld("web")
			s.pass(second, failure.phase, failure.more)
			ready := s.awaitReady("shop-2", v1alpha1.ReasonBackupFailed)
			s.says(ready.Message, "the backup keeps failing, in attempt 2 by now", failure.says, "To retry at once: kubectl -n "+s.namespace)
			s.stalled(s.release("shop-2"), true)
			s.warns(s.awaitEvent("AppRelease", "shop-2", "BackupStalled"), "keeps failing")
			s.warns(s.awaitEvent("DRPlan", "shop", "BackupStalled"), "keeps failing")
			s.says(s.awaitPlan(v1alpha1.ConditionReady, v1alpha1.ReasonBackupFailed).Message, "its backup keeps failing")
			s.mustBeHeld("web")
			s.tellsNobody(failure.secret)
		})
	}
}

// tellsNobody fails the test if tenants can read a text on the plan, a release, or in an event.
func (s *shop) tellsNobody(text string) {
	s.Helper()
	events := &eventsv1.EventList{}
	if err := s.stage.Live.List(s.Context(), events, client.InNamespace(s.namespace)); err != nil {
		s.Fatal(err)
	}
	if told := show(s.current().Status) + show(s.release("shop-2").Status) + show(events); text != "" && strings.Contains(told, text) {
		s.Errorf("tenants are told %q:\n%s", text, told)
	}
}

// request asks for another attempt at the backup of a release, as the message says.
func (s *shop) request(release, value string) {
	s.Helper()
	s.patch(s.release(release), fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, v1alpha1.AnnotationRetryRequestedAt, value))
}

func attempts(n int32) setting {
	return func(p *v1alpha1.DRPlan) { p.Spec.Gate.BackupAttempts = n }
}

func TestRetryOnRequestGoesOn(t *testing.T) {
	t.Parallel()
	s := newShop(t, attempts(1))
	s.roll("web", "2")
	s.pass(s.awaitBackup("shop-2", 0), velerov1.BackupPhaseFailed, nil)
	s.awaitReady("shop-2", v1alpha1.ReasonBackupFailed)
	s.request("shop-2", "1")
	s.complete(s.awaitAttempt("shop-2", 0, 2))
	s.awaitStarted("web", "2")
	s.awaitReady("shop-2", v1alpha1.ReasonRolledOut)
	s.stalled(s.release("shop-2"), false)
	s.awaitPlan(v1alpha1.ConditionReady, v1alpha1.ReasonReconciled)
	if got := s.release("shop-2").Status.LastHandledRetryAt; got != "1" {
		t.Errorf("lastHandledRetryAt is %q", got)
	}
}

func TestBackupDeletedByHandWhileWaitingCountsAsFailed(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.roll("web", "2")
	first := s.awaitBackup("shop-2", 0)
	s.pass(first, velerov1.BackupPhaseInProgress, nil)
	s.awaitReady("shop-2", v1alpha1.ReasonBackupInProgress)
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

func TestBackupOfAnotherIsNeverTakenForOurs(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.roll("web", "2")
	ours := s.backup(s.awaitBackup("shop-2", 0))
	if diff := fmt.Sprint(ours.Spec.IncludedNamespaces); diff != fmt.Sprint([]string{s.namespace}) {
		t.Errorf("the backup includes %s", diff)
	}
	other := &velerov1.Backup{}
	other.Namespace, other.Name = stage.VeleroNamespace, "foreign-"+s.namespace
	other.Labels = map[string]string{v1alpha1.LabelNamespace: s.namespace, v1alpha1.LabelPlan: "another"}
	s.create(other)
	s.complete(other.Name)
	s.complete(ours.Name)
	s.awaitStarted("web", "2")
	if last := s.awaitProtectingBackup(); last.Name != ours.Name {
		t.Errorf("the plan counts %s as its backup", last.Name)
	}
}

func (s *shop) awaitProtectingBackup() *v1alpha1.ProtectingBackup {
	s.Helper()
	var last *v1alpha1.ProtectingBackup
	s.await("a last backup", patience, func() (bool, any) {
		last = s.current().Status.ProtectingBackup
		return last != nil, last
	})
	return last
}
