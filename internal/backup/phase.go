// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package backup

import (
	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
)

// FailedPhase is the phase of a Backup that failed, by the name under which nobody takes it for one that did not:
// Completed with a failure reason, or without its hooks, is Failed.
func FailedPhase(b *velerov1.Backup) string {
	if b.Status.Phase == velerov1.BackupPhaseCompleted {
		return string(velerov1.BackupPhaseFailed)
	}
	return string(b.Status.Phase)
}

// Begun reports whether Velero has begun a backup, or is about to.
func Begun(b *velerov1.Backup) bool {
	switch b.Status.Phase {
	case "", velerov1.BackupPhaseNew, velerov1.BackupPhaseQueued:
		return false
	default:
		return true
	}
}
