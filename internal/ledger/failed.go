// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"time"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
)

// Failed are the Backups of failed attempts that do not say so themselves, with when that was recorded: a time that stays the same,
// so that an operator whose cache is behind marks a Backup with what it says already. Their phase may change again: Velero resets it when it was
// restarted, or when a deletion did not succeed. An attempt that was recorded as failed stays failed, also when its release is
// gone. One that was merely too slow is a good backup.
func Failed(f *facts.Facts, book *records.Book) map[string]time.Time {
	out := map[string]time.Time{}
	for ro := range book.Rollouts() {
		if !records.BackupFailed(ro.Rollout) || ro.Backup.Phase == records.PhaseTooSlow {
			continue
		}
		b := f.Backups[ro.Backup.Name]
		if b == nil {
			continue
		}
		if _, marked := b.Annotations[v1alpha1.AnnotationFailed]; !marked {
			out[b.Name] = ro.Backup.FailureTime.Time
		}
	}
	return out
}
