// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package rule

import (
	"slices"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/backup"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/velero"
)

// Outdated reports whether the backup of a rollout that holds something cannot be relied on any more, or is gone after its end:
// one that was taken ahead may have expired.
func Outdated(f *facts.Facts, book *records.Book, ro records.Rollout) bool {
	b := f.Backups[ro.Backup.Name]
	if records.Over(ro.Backup.Phase) && (b == nil || velero.StateOf(b) != velero.Completed) {
		return true
	}
	return b != nil && (Void(f, book, ro, b) || slices.ContainsFunc(ro.Workloads, func(rec v1alpha1.RolloutWorkload) bool {
		return rec.State == v1alpha1.WorkloadHeld && (!backup.Fresh(f, b) || backup.StartedSince(f, b, &rec))
	}))
}

// Serves reports whether the backup that was taken ahead is, or will be, of use to a rollout that begins now.
func Serves(f *facts.Facts, book *records.Book, ro records.Rollout) bool {
	switch {
	case ro.Backup == nil:
		return true
	case records.BackupFailed(ro.Rollout):
		return true // another attempt follows
	}
	b := f.Backups[ro.Backup.Name]
	if b == nil {
		return ro.Backup.Phase == ""
	}
	usable := velero.StateOf(b) == velero.Completed || !records.Over(ro.Backup.Phase)
	return usable && !Void(f, book, ro, b) && backup.Fresh(f, b)
}

// Void reports whether something else of the plan started since a backup was created: it may not hold the state that the
// rollout would destroy.
func Void(f *facts.Facts, book *records.Book, ro records.Rollout, b *velerov1.Backup) bool {
	return VoidSince(f, b, LastOtherStart(f, book, ro))
}

// VoidSince says the same of a known last start. Nothing is known of what started before the plan was created: a backup
// that is left from a plan of the same name, in a namespace that was perhaps deleted since, allows nothing.
func VoidSince(f *facts.Facts, b *velerov1.Backup, lastOtherStart time.Time) bool {
	created := backup.CreatedAt(b)
	if created.Before(f.Plan.CreationTimestamp.Time) {
		return true
	}
	return !lastOtherStart.IsZero() && created.Before(lastOtherStart.Add(facts.StartMargin))
}

// WaitsForUsers reports whether users paused whatever a rollout still holds.
func WaitsForUsers(f *facts.Facts, ro *v1alpha1.Rollout) bool {
	return !slices.ContainsFunc(ro.Workloads, func(rec v1alpha1.RolloutWorkload) bool {
		return rec.State == v1alpha1.WorkloadHeld && !f.UserPaused(&rec)
	})
}
