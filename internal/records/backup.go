// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package records

import (
	"slices"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/velero"
)

// Phases that Velero does not know.
const (
	// PhaseLost is that of a Backup that was there and is not any more.
	PhaseLost = "Deleted"

	// PhaseTooSlow is that of a Backup that is Completed and was older than the recovery point objective by then.
	PhaseTooSlow = "TooSlow"

	// PhaseWithdrawn is that of a Backup that was deleted before Velero began it, since nobody waited for it.
	PhaseWithdrawn = "Withdrawn"
)

// Over reports whether a phase is final.
func Over(phase string) bool {
	return phase == PhaseLost || phase == PhaseTooSlow || phase == PhaseWithdrawn || phase != "" && velero.StateOf(withPhase(phase)) != velero.Waiting
}

// BackupFailed reports whether the latest attempt at the backup of a rollout failed.
func BackupFailed(ro *v1alpha1.Rollout) bool {
	return ro.Backup != nil && ro.Backup.FailureTime != nil
}

// BackupUnderWay reports whether the backup of a rollout is neither over nor failed.
func BackupUnderWay(ro *v1alpha1.Rollout) bool {
	return ro.Backup != nil && !Over(ro.Backup.Phase)
}

func withPhase(phase string) *velerov1.Backup {
	return &velerov1.Backup{Status: velerov1.BackupStatus{Phase: velerov1.BackupPhase(phase)}}
}

// DisownsVersion reports whether a rollout knows that its backup captured no single version.
func (book *Book) DisownsVersion(backup string) bool {
	for _, r := range book.Releases {
		for i := range r.Wanted.Rollouts {
			if b := r.Wanted.Rollouts[i].Backup; b != nil && b.Name == backup && b.Version == "" {
				return true
			}
		}
	}
	return false
}

// Allows reports whether a backup is that of a rollout of a workload to a template.
func (book *Book) Allows(b *velerov1.Backup, m *facts.Member, hash string) bool {
	for ro := range book.Rollouts() {
		rec := RecordOf(ro.Rollout, m)
		if ro.Backup != nil && ro.Backup.Name == b.Name && rec != nil && rec.TemplateHash == hash {
			return true
		}
	}
	return false
}

// AllowedBy reports whether everything of a rollout that started did so because of this backup, which is after its end.
func AllowedBy(ro *v1alpha1.Rollout, b *velerov1.Backup) bool {
	return ro.Backup != nil && ro.Backup.Name == b.Name && !slices.ContainsFunc(ro.Workloads, func(rec v1alpha1.RolloutWorkload) bool {
		return rec.StartReason != "" && rec.StartReason != v1alpha1.StartBackupCompleted
	})
}

// ForgetVersion records that a backup captured no single version.
func (book *Book) ForgetVersion(backup string) {
	for _, r := range book.Releases {
		for i := range r.Wanted.Rollouts {
			if ro := &r.Wanted.Rollouts[i]; ro.Backup != nil && ro.Backup.Name == backup {
				ro.Backup.Version = ""
			}
		}
	}
}

// PhaseOf is the recorded phase of the backup of a rollout; "" where it has none.
func PhaseOf(ro *v1alpha1.Rollout) string {
	if ro.Backup == nil {
		return ""
	}
	return ro.Backup.Phase
}

// HasBackup reports whether a rollout has a backup that was not withdrawn.
func HasBackup(ro *v1alpha1.Rollout) bool {
	return ro.Backup != nil && ro.Backup.Phase != PhaseWithdrawn
}
