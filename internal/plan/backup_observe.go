// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"math"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/velero"
)

const (
	// settleTime is for how long the phases that a backup passes on its way are not written to the status: a quick
	// one is over before anybody could read them.
	settleTime = 2 * time.Second

	// pickUpTime is how long Velero may take to notice a backup before the release says that it does not respond.
	pickUpTime = 3 * time.Second

	// touchTime is how long a backup may be ready to start before it is touched: a Velero server that was restarted
	// forgets it otherwise.
	touchTime = 30 * time.Second
)

// AnnotationTouched is the time of the last touch, on a Backup.
const AnnotationTouched = v1alpha1.GroupName + "/touched"

// observeBackup brings what a rollout says of its backup forward.
func (d *decider) observeBackup(ro *v1alpha1.Rollout) {
	if ro.Backup == nil || over(ro.Backup.Phase) && ro.Backup.Phase != string(velerov1.BackupPhaseCompleted) {
		return
	}
	b := d.in.Backups[ro.Backup.Name]
	switch {
	case b != nil:
		d.copyBackup(ro.Backup, b)
	case ro.Backup.Phase == "":
		d.recreate(ro)
	case ro.Backup.Phase != string(velerov1.BackupPhaseCompleted) || d.holds(ro):
		// Somebody deleted it. One that has done its work may go, Velero itself deletes it when it expires.
		d.fail(ro.Backup, phaseLost)
	}
}

// recreate asks again for a backup that was recorded and never seen: the operator may have been killed in between.
// Asking twice is harmless, since the name is the same.
func (d *decider) recreate(ro *v1alpha1.Rollout) {
	if !open(ro) {
		return
	}
	for _, r := range d.primaries() {
		for i := range r.status.Rollouts {
			if &r.status.Rollouts[i] != ro {
				continue
			}
			id := d.backupID(r, ro.Number, ro.Backup.Attempt)
			if id.Name() == ro.Backup.Name && d.in.LocationProblem == "" {
				d.out.Backups = append(d.out.Backups, velero.NewBackup(d.plan, id, ro.Backup.Version))
			}
		}
	}
}

func (d *decider) copyBackup(to *v1alpha1.RolloutBackup, b *velerov1.Backup) {
	switch velero.StateOf(b) {
	case velero.Completed:
		to.Phase = string(b.Status.Phase)
		to.StartTime, to.CompletionTime = b.Status.StartTimestamp, b.Status.CompletionTimestamp
		to.QueuePosition, to.FailureTime = 0, nil
		copyProgress(to, b)
	case velero.Failed:
		to.StartTime, to.CompletionTime = b.Status.StartTimestamp, b.Status.CompletionTimestamp
		to.QueuePosition = 0
		d.fail(to, failedPhase(b))
	default:
		d.copyWaiting(to, b)
	}
}

// failedPhase is the phase of a Backup that failed, by the name under which nobody takes it for one that did not:
// Completed with a failure reason is Failed.
func failedPhase(b *velerov1.Backup) string {
	if b.Status.Phase == velerov1.BackupPhaseCompleted {
		return string(velerov1.BackupPhaseFailed)
	}
	return string(b.Status.Phase)
}

func (d *decider) fail(b *v1alpha1.RolloutBackup, phase string) {
	b.Phase = phase
	if b.FailureTime == nil {
		b.FailureTime = &d.now
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
	to.StartTime = b.Status.StartTimestamp
	to.QueuePosition = clamp(b.Status.QueuePosition)
	copyProgress(to, b)
	if !velero.PickedUp(b) {
		d.wake(b.CreationTimestamp.Add(pickUpTime))
	}
	d.touch(b)
}

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
	if due := last.Add(touchTime); d.in.Now.Before(due) {
		d.wake(due)
		return
	}
	d.out.Touch = append(d.out.Touch, b.Name)
	d.wake(d.in.Now.Add(touchTime))
}

// over says whether a phase is final.
func over(phase string) bool {
	return phase == phaseLost || phase != "" && velero.StateOf(withPhase(phase)) != velero.Waiting
}

// failed says whether the latest attempt at the backup of a rollout failed.
func failed(ro *v1alpha1.Rollout) bool {
	return ro.Backup != nil && ro.Backup.FailureTime != nil
}

// underWay says whether the backup of a rollout is neither over nor failed.
func underWay(ro *v1alpha1.Rollout) bool {
	return ro.Backup != nil && !over(ro.Backup.Phase)
}

func withPhase(phase string) *velerov1.Backup {
	return &velerov1.Backup{Status: velerov1.BackupStatus{Phase: velerov1.BackupPhase(phase)}}
}

func clamp(n int) int32 { return int32(max(0, min(n, math.MaxInt32))) }
