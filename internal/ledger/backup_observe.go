// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"math"
	"slices"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/backup"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/rule"
	"github.com/backstay-dr/backstay/internal/running"
	"github.com/backstay-dr/backstay/internal/velero"
)

// touchTime is how long a backup may be ready to start before it is touched: a Velero server that was restarted
// forgets it otherwise.
const touchTime = 30 * time.Second

// observeBackup brings what a rollout says of its backup forward, up to its end. What becomes of it later is no news of
// the rollout: Velero itself deletes it when it expires.
func observeBackup(f *facts.Facts, book *records.Book, q queue, ro records.Rollout, out *BackedUp) {
	if ro.Backup == nil {
		return
	}
	b := f.Backups[ro.Backup.Name]
	if ro.Backup.Phase == records.PhaseWithdrawn && b != nil && backup.Begun(b) {
		ro.Backup.Phase = "" // Velero was faster
	}
	if records.Over(ro.Backup.Phase) {
		return
	}
	switch {
	case b != nil:
		copyBackup(f, book, ro, b, out)
	case ro.Backup.Phase != "" || backup.ID(f, ro, ro.Backup.Attempt).Name() != ro.Backup.Name:
		fail(f, ro, records.PhaseLost)
		out.Lost = append(out.Lost, ro.Backup.Name)
	case records.IsOpen(ro.Rollout) && backup.Needed(f, ro.Rollout):
		recreate(f, book, q, ro, out)
	}
}

// recreate asks again for a backup that was recorded and never seen: the operator may have been killed in between.
// Asking twice is harmless, since the name is the same.
func recreate(f *facts.Facts, book *records.Book, q queue, ro records.Rollout, out *BackedUp) {
	if f.LocationProblem != "" {
		out.wait(f, ro, rule.Wait{Reason: v1alpha1.ReasonStorageLocationUnavailable, Message: f.LocationProblem})
		return
	}
	if w, waits := waitForShare(f, book, q, ro); waits {
		out.wait(f, ro, w)
		return
	}
	ro.Backup.Version = running.Captured(f, book)
	out.create(velero.NewBackup(f.Plan, backup.ID(f, ro, ro.Backup.Attempt), ro.Backup.Version))
}

// copyBackup copies what a rollout says of its backup.
func copyBackup(f *facts.Facts, book *records.Book, ro records.Rollout, b *velerov1.Backup, out *BackedUp) {
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
		if backup.TooSlow(f, b) {
			fail(f, ro, records.PhaseTooSlow)
		}
	case velero.Failed:
		to.StartTime, to.CompletionTime = b.Status.StartTimestamp, b.Status.CompletionTimestamp
		to.QueuePosition = 0
		fail(f, ro, backup.FailedPhase(b))
	default:
		if to.Version != running.Captured(f, book) {
			to.Version = "" // it may capture what came in the meantime
		}
		copyWaiting(f, to, b, out)
	}
}

// fail records that the latest attempt failed.
func fail(f *facts.Facts, ro records.Rollout, phase string) {
	ro.Backup.Phase = phase
	if ro.Backup.FailureTime == nil {
		ro.Backup.FailureTime = &f.At
		scheduleRetry(f, ro)
	}
}

// copyWaiting copies what is told of a backup that is not over, once it has lasted for a moment.
func copyWaiting(f *facts.Facts, to *v1alpha1.RolloutBackup, b *velerov1.Backup, out *BackedUp) {
	if settled := b.CreationTimestamp.Add(SettleTime); f.Now.Before(settled) {
		out.Until = f.Sooner(out.Until, settled)
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
		out.Until = f.Sooner(out.Until, b.CreationTimestamp.Add(rule.PickUpTime))
	}
	touch(f, b, out)
}

// maxPhase is the longest phase that the status takes; Velero bounds what it writes by its own schema.
const maxPhase = 64

// touch wakes Velero where it left a backup ready to start.
func touch(f *facts.Facts, b *velerov1.Backup, out *BackedUp) {
	if b.Status.Phase != velerov1.BackupPhaseReadyToStart {
		return
	}
	last := b.CreationTimestamp.Time
	if t, err := time.Parse(time.RFC3339, b.Annotations[v1alpha1.AnnotationTouched]); err == nil {
		last = t
	}
	due := last.Add(touchTime)
	if f.Now.Before(due) {
		out.Until = f.Sooner(out.Until, due)
		return
	}
	out.Until = f.Sooner(out.Until, f.Now.Add(touchTime))
	if !slices.Contains(out.Touch, b.Name) {
		out.Touch = append(out.Touch, b.Name)
	}
}

// SettleTime is for how long what a rollout passes on its way is not written to a status: a quick one is over before
// anybody could read it.
const SettleTime = 2 * time.Second

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

// clamp bounds a number to what the status takes.
func clamp(n int) int32 { return int32(max(0, min(n, math.MaxInt32))) }
