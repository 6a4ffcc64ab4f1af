// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package rule

import (
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/backup"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/velero"
)

// UnprotectedEscape reports whether something of a rollout escaped, and what it left is in no backup that is Completed. What
// runs by now may be another rollout's.
func UnprotectedEscape(f *facts.Facts, book *records.Book, ro records.Rollout) bool {
	if !records.Escaped(ro.Rollout) || ro.Outcome == v1alpha1.OutcomeSuperseded || ro.Outcome == v1alpha1.OutcomeAbandoned {
		return false
	}
	if records.PhaseOf(ro.Rollout) == string(velerov1.BackupPhaseCompleted) && !records.BackupFailed(ro.Rollout) {
		return false
	}
	return ro.AdmittedTime == nil || !backedUpSince(f, book, ro.AdmittedTime.Time)
}

// backedUpSince reports whether a backup that began after a time is Completed, or was: Velero deletes it in the end.
func backedUpSince(f *facts.Facts, book *records.Book, at time.Time) bool {
	for _, b := range f.Backups {
		if velero.StateOf(b) == velero.Completed && backup.CreatedAt(b).After(at) {
			return true
		}
	}
	for ro := range book.Rollouts() {
		if b := ro.Backup; b != nil && b.FailureTime == nil && b.Phase == string(velerov1.BackupPhaseCompleted) &&
			b.StartTime != nil && b.StartTime.After(at) {
			return true
		}
	}
	return false
}
