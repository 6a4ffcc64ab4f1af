// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// phaseWithdrawn stands for the phase of a Backup that was deleted before Velero began it, since nobody waited for it.
const phaseWithdrawn = "Withdrawn"

// withdraw takes back the backups that nobody waits for any more and that Velero has not begun: they would keep others
// waiting. Only a backup that a rollout names is withdrawn: one of which no record is seen may have been asked for a moment
// ago.
func (d *decider) withdraw() {
	for ro := range d.courses() {
		if ro.Backup == nil {
			continue
		}
		b := d.in.Backups[ro.Backup.Name]
		if b == nil || begun(b) || d.waitedFor(b.Name) {
			continue
		}
		ro.Backup.Phase = phaseWithdrawn
		if !d.withdrawn(b.Name) {
			d.out.Withdraw = append(d.out.Withdraw, b)
		}
	}
}

// waitedFor reports whether a rollout is not done before that backup is.
func (d *decider) waitedFor(backup string) bool {
	for ro := range d.courses() {
		if d.plan != nil && open(ro.Rollout) && ro.Backup != nil && ro.Backup.Name == backup && d.needsBackup(ro.Rollout) {
			return true
		}
	}
	return false
}

// withdrawn reports whether this decision withdraws a backup.
func (d *decider) withdrawn(backup string) bool {
	return slices.ContainsFunc(d.out.Withdraw, func(b *velerov1.Backup) bool { return b.Name == backup })
}

// begun reports whether Velero has begun a backup, or is about to.
func begun(b *velerov1.Backup) bool {
	switch b.Status.Phase {
	case "", velerov1.BackupPhaseNew, velerov1.BackupPhaseQueued:
		return false
	default:
		return true
	}
}

// hasBackup reports whether a rollout has a backup that was not withdrawn.
func hasBackup(ro *v1alpha1.Rollout) bool {
	return ro.Backup != nil && ro.Backup.Phase != phaseWithdrawn
}
