// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package rule

import (
	"fmt"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/backup"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/velero"
)

// PickUpTime is how long Velero may take to notice a backup before the release says that it does not respond.
const PickUpTime = 3 * time.Second

// notRequested: no backup is asked for yet.
func notRequested(_ *facts.Facts, _ *records.Book, ro records.Rollout, _ *v1alpha1.RolloutWorkload) (Wait, bool) {
	return Wait{Reason: v1alpha1.ReasonBackupPending, Message: "the backup is about to be created"}, ro.Backup == nil
}

// attemptFailed: an attempt that was recorded as failed stays failed, whatever its phase becomes.
func attemptFailed(f *facts.Facts, _ *records.Book, ro records.Rollout, _ *v1alpha1.RolloutWorkload) (Wait, bool) {
	if !records.BackupFailed(ro.Rollout) {
		return Wait{}, false
	}
	return failureState(f, ro, f.Backups[ro.Backup.Name]), true
}

// notCompleted says how far a backup is that is not Completed.
func notCompleted(f *facts.Facts, _ *records.Book, ro records.Rollout, _ *v1alpha1.RolloutWorkload) (Wait, bool) {
	b, name := f.Backups[ro.Backup.Name], ro.Backup.Name
	if b != nil && velero.StateOf(b) == velero.Completed {
		return Wait{}, false
	}
	switch phase := velerov1.BackupPhase(ro.Backup.Phase); {
	case b == nil && phase == "" && askedBefore(f, ro):
		return Wait{Reason: v1alpha1.ReasonBackupPending, Message: fmt.Sprintf("backup %s does not exist yet: "+
			"an event BackupNotCreated of the DRPlan says why, if the API server refuses it", name)}, true
	case b != nil && !f.Now.Before(b.CreationTimestamp.Add(PickUpTime)) && phase == velerov1.BackupPhaseNew:
		message := fmt.Sprintf("Velero has not picked up backup %s: see that its server runs", name)
		return Wait{Reason: v1alpha1.ReasonVeleroNotResponding, Message: message}, true
	case phase == velerov1.BackupPhaseQueued, phase == velerov1.BackupPhaseReadyToStart:
		return Wait{Reason: v1alpha1.ReasonBackupQueued, Message: fmt.Sprintf("backup %s waits in Velero's queue%s", name, queued(ro.Backup))}, true
	case phase == "", phase == velerov1.BackupPhaseNew:
		return Wait{Reason: v1alpha1.ReasonBackupPending, Message: fmt.Sprintf("waiting for Velero to begin backup %s", name)}, true
	case phase == velerov1.BackupPhaseCompleted:
		return Wait{Reason: v1alpha1.ReasonBackupCompleted, Message: fmt.Sprintf("backup %s is Completed", name)}, true
	default:
		return Wait{Reason: v1alpha1.ReasonBackupInProgress, Message: fmt.Sprintf("Velero takes backup %s", name)}, true
	}
}

// overtakenByStart: something of the plan started after the backup was created, so that it may not hold the state that the workload
// would leave.
func overtakenByStart(f *facts.Facts, book *records.Book, ro records.Rollout, rec *v1alpha1.RolloutWorkload) (Wait, bool) {
	b := f.Backups[ro.Backup.Name]
	message := fmt.Sprintf("something started since backup %s was created: another one is taken", b.Name)
	return Wait{Reason: v1alpha1.ReasonBackupPending, Message: message}, Void(f, book, ro, b) || backup.StartedSince(f, b, rec)
}

// tooOld: a backup must be within the recovery point objective when it is relied on.
func tooOld(f *facts.Facts, _ *records.Book, ro records.Rollout, _ *v1alpha1.RolloutWorkload) (Wait, bool) {
	b := f.Backups[ro.Backup.Name]
	message := fmt.Sprintf("backup %s is older than the recovery point objective: another one is taken", b.Name)
	return Wait{Reason: v1alpha1.ReasonBackupPending, Message: message}, !backup.Fresh(f, b)
}

// askedBefore reports whether a backup was asked for in an earlier decision, and a while ago.
func askedBefore(f *facts.Facts, ro records.Rollout) bool {
	stored := records.Numbered(&ro.Of.Status, ro.Number).Backup
	return stored != nil && stored.Name == ro.Backup.Name && !f.Now.Before(ro.OpenedTime.Add(PickUpTime))
}

// queued is the place of a backup in Velero's queue, where Velero tells it.
func queued(b *v1alpha1.RolloutBackup) string {
	if b.QueuePosition == 0 {
		return ""
	}
	return fmt.Sprintf(", at position %d", b.QueuePosition)
}

// Stamp is how times are written in messages.
const Stamp = "2006-01-02T15:04:05Z"
