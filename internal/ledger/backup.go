// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
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

// BackUp brings what is known of the backups forward, and begins those that are wanted. The rollouts of a plan that hold
// something take their backups one after another: a start in between would void the others. One that holds nothing is
// voided by the next start in any case, so that nobody waits for it.
func BackUp(f *facts.Facts, book *records.Book, withdrawn []*velerov1.Backup) BackedUp {
	out := BackedUp{Waits: rule.Waits{}}
	q := newQueue(withdrawn)
	var wanting []records.Rollout
	var busy *records.Release
	retryOnRequest(book)
	for ro := range book.Rollouts() {
		observeBackup(f, book, q, ro, &out)
		switch {
		case !records.IsOpen(ro.Rollout):
		case wantsBackup(f, book, ro):
			wanting = append(wanting, ro)
		case atWork(f, ro):
			busy = ro.Of
		}
	}
	slices.SortStableFunc(wanting, records.CompareRollouts)
	for _, ro := range wanting {
		if beginBackup(f, book, q, ro, busy, &out) && atWork(f, ro) {
			busy = ro.Of
		}
	}
	return out
}

// wantsBackup reports whether a rollout needs a backup that it does not have and that is not under way.
func wantsBackup(f *facts.Facts, book *records.Book, ro records.Rollout) bool {
	switch {
	case f.Mode() == v1alpha1.GateModeDisabled:
		return false
	case records.Holds(ro.Rollout):
		return !records.HasBackup(ro.Rollout) || records.BackupFailed(ro.Rollout) || rule.Outdated(f, book, ro) && !rule.WaitsForUsers(f, ro.Rollout)
	case records.StartedUnheld(ro.Rollout), records.IsAhead(ro.Rollout):
		return !records.HasBackup(ro.Rollout) || records.BackupFailed(ro.Rollout)
	default:
		return false
	}
}

// atWork reports whether the backup of a rollout that is urgent is under way, or about to let it start.
func atWork(f *facts.Facts, ro records.Rollout) bool {
	return ro.Backup != nil && !records.BackupFailed(ro.Rollout) && (urgent(f, ro) || aboutToStart(f, ro))
}

// startSoon is how long a rollout may take to start once its backup is over. Longer is what admission refuses to start.
const startSoon = time.Minute

// aboutToStart reports whether the backup of a rollout was Completed just now: whatever starts of it voids the backups of others.
func aboutToStart(f *facts.Facts, ro records.Rollout) bool {
	done := ro.Backup.CompletionTime
	return records.Over(ro.Backup.Phase) && done != nil && f.Now.Before(done.Add(startSoon)) && !rule.WaitsForUsers(f, ro.Rollout)
}

// beginBackup creates the backup of a rollout, or notes what it waits for. It reports whether one is under way then. What
// escaped is backed up at once.
func beginBackup(f *facts.Facts, book *records.Book, q queue, ro records.Rollout, busy *records.Release, out *BackedUp) bool {
	if records.BackupFailed(ro.Rollout) {
		if due := retryTime(f, ro); !due.IsZero() {
			out.Until = f.Sooner(out.Until, due)
			return false
		}
	}
	if w, waits := waitBefore(f, book, q, ro, busy); waits {
		out.wait(f, ro, w)
		return false
	}
	id := backup.ID(f, ro, backup.NextAttempt(f, ro))
	ro.Backup = &v1alpha1.RolloutBackup{Name: id.Name(), Attempt: id.Attempt, Version: running.Captured(f, book)}
	out.create(velero.NewBackup(f.Plan, id, ro.Backup.Version))
	return true
}
