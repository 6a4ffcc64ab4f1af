// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/records"
)

// PassedDeadlines counts the workloads whose deadline passed between two statuses of a release.
func PassedDeadlines(from, to *v1alpha1.AppReleaseStatus) int {
	n := 0
	for i := range to.Rollouts {
		ro := &to.Rollouts[i]
		old := records.Numbered(from, ro.Number)
		for j := range ro.Workloads {
			if rec := &ro.Workloads[j]; records.Overdue(rec) && !records.Overdue(records.Record(old, rec)) {
				n++
			}
		}
	}
	return n
}

// EndedBackups lists the backups that ended between two statuses of a release, with how: Completed, or the phase in which
// they failed.
func EndedBackups(from, to *v1alpha1.AppReleaseStatus) []v1alpha1.RolloutBackup {
	var out []v1alpha1.RolloutBackup
	for i := range to.Rollouts {
		ro := &to.Rollouts[i]
		if !records.HasBackup(ro) || !records.Over(ro.Backup.Phase) {
			continue
		}
		if old := records.Numbered(from, ro.Number).Backup; old == nil || old.Name != ro.Backup.Name || old.Phase != ro.Backup.Phase {
			out = append(out, *ro.Backup)
		}
	}
	return out
}

// BackupOutcomes are the phases in which a backup ends, as EndedBackups tells them.
func BackupOutcomes() []string {
	return []string{
		string(velerov1.BackupPhaseCompleted), string(velerov1.BackupPhasePartiallyFailed), string(velerov1.BackupPhaseFailed),
		string(velerov1.BackupPhaseFailedValidation), string(velerov1.BackupPhaseDeleting), records.PhaseLost, records.PhaseTooSlow,
	}
}

// FailedRollouts counts the rollouts of a release that failed between two statuses.
func FailedRollouts(from, to *v1alpha1.AppReleaseStatus) int {
	n := 0
	for i := range to.Rollouts {
		ro := &to.Rollouts[i]
		if records.NamesWhere(ro, records.RolloutFailed) != "" && records.NamesWhere(records.Numbered(from, ro.Number), records.RolloutFailed) == "" {
			n++
		}
	}
	return n
}
