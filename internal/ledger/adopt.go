// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"slices"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/velero"
)

// Adopt lets a rollout take over the backup of another one that it replaces before that started: nothing has
// changed under it, and one backup for a workload that is edited again and again is enough. A backup that is Completed
// may have released the other one already, by the hand of an operator that was killed after it: it is not taken over.
func Adopt(f *facts.Facts, book *records.Book) {
	for ro := range book.Rollouts() {
		if !records.IsOpen(ro.Rollout) || ro.Backup != nil || !records.Holds(ro.Rollout) {
			continue
		}
		for old := range book.Rollouts() {
			if b := adoptable(f, old, ro); b != nil {
				ro.Backup = &v1alpha1.RolloutBackup{Name: b.Name, Attempt: 1, Version: old.Backup.Version}
				break
			}
		}
	}
}

// adoptable is the backup under way of a rollout that another one replaced.
func adoptable(f *facts.Facts, old, by records.Rollout) *velerov1.Backup {
	if old.Rollout == by.Rollout || !records.IsOpen(old.Rollout) || old.Backup == nil || old.AdmittedTime != nil || !replaced(old.Rollout, by.Rollout) {
		return nil
	}
	if b := f.Backups[old.Backup.Name]; b != nil && velero.StateOf(b) == velero.Waiting {
		return b
	}
	return nil
}

// replaced reports whether nothing is left in a rollout, and one of its workloads moved to that other one.
func replaced(old, by *v1alpha1.Rollout) bool {
	moved := false
	for i := range old.Workloads {
		rec := &old.Workloads[i]
		if !records.Ended(rec) || rec.StartReason != "" {
			return false
		}
		moved = moved || rec.State == v1alpha1.WorkloadSuperseded &&
			slices.ContainsFunc(by.Workloads, func(other v1alpha1.RolloutWorkload) bool { return facts.KeyOf(&other) == facts.KeyOf(rec) })
	}
	return moved
}
