// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"math"
	"slices"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/velero"
)

const (
	// phaseLost stands for the phase of a Backup that was there and is not any more.
	phaseLost = "Deleted"

	// phaseTooSlow stands for the phase of a Backup that is Completed and was older than the recovery point objective by then.
	phaseTooSlow = "TooSlow"

	// pickUpTime is how long Velero may take to notice a backup before the release says that it does not respond.
	pickUpTime = 3 * time.Second

	// touchTime is how long a backup may be ready to start before it is touched: a Velero server that was restarted
	// forgets it otherwise.
	touchTime = 30 * time.Second
)

// AnnotationTouched is the time of the last touch, on a Backup.
const AnnotationTouched = v1alpha1.AnnotationTouched

// observeBackup brings what a rollout says of its backup forward, up to its end. What becomes of it later is no news of
// the rollout: Velero itself deletes it when it expires.
func (d *decider) observeBackup(ro course) {
	if ro.Backup == nil {
		return
	}
	b := d.in.Backups[ro.Backup.Name]
	if ro.Backup.Phase == phaseWithdrawn && b != nil && begun(b) {
		ro.Backup.Phase = "" // Velero was faster
	}
	if over(ro.Backup.Phase) {
		return
	}
	switch {
	case b != nil:
		d.copyBackup(ro, b)
	case ro.Backup.Phase != "" || d.backupID(ro, ro.Backup.Attempt).Name() != ro.Backup.Name:
		d.fail(ro, phaseLost)
		d.out.Lost = append(d.out.Lost, ro.Backup.Name)
	case open(ro.Rollout) && d.needsBackup(ro.Rollout):
		d.recreate(ro)
	}
}

// needsBackup reports whether a rollout is not done before a backup is.
func (d *decider) needsBackup(ro *v1alpha1.Rollout) bool {
	return d.mode() != v1alpha1.GateModeDisabled && (holds(ro) || ahead(ro) || startedUnheld(ro))
}

// recreate asks again for a backup that was recorded and never seen: the operator may have been killed in between.
// Asking twice is harmless, since the name is the same.
func (d *decider) recreate(ro course) {
	if d.in.LocationProblem != "" {
		d.waits[ro.Rollout] = wait{v1alpha1.ReasonStorageLocationUnavailable, d.in.LocationProblem}
		return
	}
	if w, waits := d.waitForShare(ro); waits {
		d.waits[ro.Rollout] = w
		return
	}
	ro.Backup.Version = d.captured()
	d.create(velero.NewBackup(d.plan, d.backupID(ro, ro.Backup.Attempt), ro.Backup.Version))
}

func (d *decider) copyBackup(ro course, b *velerov1.Backup) {
	to := ro.Backup
	if to.Version != b.Annotations[v1alpha1.AnnotationVersion] {
		to.Version = "" // one of the two knows of a start in between
	}
	switch velero.StateOf(b) {
	case velero.Completed:
		to.Phase = string(b.Status.Phase)
		to.StartTime, to.CompletionTime = b.Status.StartTimestamp, b.Status.CompletionTimestamp
		to.QueuePosition = 0
		copyProgress(to, b)
		if d.tooSlow(b) {
			d.fail(ro, phaseTooSlow)
		}
	case velero.Failed:
		to.StartTime, to.CompletionTime = b.Status.StartTimestamp, b.Status.CompletionTimestamp
		to.QueuePosition = 0
		d.fail(ro, failedPhase(b))
	default:
		if to.Version != d.captured() {
			to.Version = "" // it may capture what came in the meantime
		}
		d.copyWaiting(to, b)
	}
}

// failedPhase is the phase of a Backup that failed, by the name under which nobody takes it for one that did not:
// Completed with a failure reason, or without its hooks, is Failed.
func failedPhase(b *velerov1.Backup) string {
	if b.Status.Phase == velerov1.BackupPhaseCompleted {
		return string(velerov1.BackupPhaseFailed)
	}
	return string(b.Status.Phase)
}

func (d *decider) fail(ro course, phase string) {
	ro.Backup.Phase = phase
	if ro.Backup.FailureTime == nil {
		ro.Backup.FailureTime = &d.now
		d.scheduleRetry(ro)
	}
}

// copyWaiting copies what is told of a backup that is not over, once it has lasted for a moment.
func (d *decider) copyWaiting(to *v1alpha1.RolloutBackup, b *velerov1.Backup) {
	if settled := b.CreationTimestamp.Add(settleTime); d.in.Now.Before(settled) {
		d.wake(settled)
		return
	}
	to.Phase = string(b.Status.Phase)
	if to.Phase == "" {
		to.Phase = string(velerov1.BackupPhaseNew)
	}
	to.Phase = to.Phase[:min(len(to.Phase), maxPhase)]
	to.StartTime = b.Status.StartTimestamp
	to.QueuePosition = clamp(b.Status.QueuePosition)
	copyProgress(to, b)
	if !velero.PickedUp(b) {
		d.wake(b.CreationTimestamp.Add(pickUpTime))
	}
	d.touch(b)
}

// maxPhase is the longest phase that the status takes; Velero bounds what it writes by its own schema.
const maxPhase = 64

// copyProgress copies the progress in steps of a tenth, so that a backup of a million items is not a million writes.
func copyProgress(to *v1alpha1.RolloutBackup, b *velerov1.Backup) {
	p := b.Status.Progress
	if p == nil || p.TotalItems <= 0 {
		return
	}
	if to.TotalItems != nil && to.ItemsBackedUp != nil && *to.TotalItems > 0 && p.ItemsBackedUp < p.TotalItems &&
		10*int64(*to.ItemsBackedUp)/int64(*to.TotalItems) == 10*int64(p.ItemsBackedUp)/int64(p.TotalItems) {
		return
	}
	total, done := clamp(p.TotalItems), clamp(p.ItemsBackedUp)
	to.TotalItems, to.ItemsBackedUp = &total, &done
}

// touch wakes Velero where it left a backup ready to start.
func (d *decider) touch(b *velerov1.Backup) {
	if b.Status.Phase != velerov1.BackupPhaseReadyToStart {
		return
	}
	last := b.CreationTimestamp.Time
	if t, err := time.Parse(time.RFC3339, b.Annotations[AnnotationTouched]); err == nil {
		last = t
	}
	due := last.Add(touchTime)
	if d.in.Now.Before(due) {
		d.wake(due)
		return
	}
	d.wake(d.in.Now.Add(touchTime))
	if !slices.Contains(d.out.Touch, b.Name) {
		d.out.Touch = append(d.out.Touch, b.Name)
	}
}

// over reports whether a phase is final.
func over(phase string) bool {
	return phase == phaseLost || phase == phaseTooSlow || phase == phaseWithdrawn || phase != "" && velero.StateOf(withPhase(phase)) != velero.Waiting
}

// backupFailed reports whether the latest attempt at the backup of a rollout failed.
func backupFailed(ro *v1alpha1.Rollout) bool {
	return ro.Backup != nil && ro.Backup.FailureTime != nil
}

// backupUnderWay reports whether the backup of a rollout is neither over nor failed.
func backupUnderWay(ro *v1alpha1.Rollout) bool {
	return ro.Backup != nil && !over(ro.Backup.Phase)
}

func withPhase(phase string) *velerov1.Backup {
	return &velerov1.Backup{Status: velerov1.BackupStatus{Phase: velerov1.BackupPhase(phase)}}
}

func clamp(n int) int32 { return int32(max(0, min(n, math.MaxInt32))) }
