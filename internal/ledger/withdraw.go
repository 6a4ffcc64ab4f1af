// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"slices"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/internal/backup"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
)

// Withdraw takes back the backups that nobody waits for any more and that Velero has not begun: they would keep others
// waiting. Only a backup that a rollout names is withdrawn: one of which no record is seen may have been asked for a moment
// ago.
func Withdraw(f *facts.Facts, book *records.Book) []*velerov1.Backup {
	var out []*velerov1.Backup
	for ro := range book.Rollouts() {
		if ro.Backup == nil {
			continue
		}
		b := f.Backups[ro.Backup.Name]
		if b == nil || backup.Begun(b) || backup.WaitedFor(f, book, b.Name) {
			continue
		}
		ro.Backup.Phase = records.PhaseWithdrawn
		if !slices.Contains(out, b) {
			out = append(out, b)
		}
	}
	return out
}
