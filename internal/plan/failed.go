// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// markFailed has the Backups of failed attempts say so themselves. Their phase may change again: Velero resets it when it was
// restarted, or when a deletion did not succeed. An attempt that was recorded as failed stays failed, also when its release is
// gone. One that was merely too slow is a good backup.
func (d *decider) markFailed() {
	for ro := range d.courses() {
		if !backupFailed(ro.Rollout) || ro.Backup.Phase == phaseTooSlow {
			continue
		}
		b := d.in.Backups[ro.Backup.Name]
		if b == nil || slices.Contains(d.out.Fail, b.Name) {
			continue
		}
		if _, marked := b.Annotations[v1alpha1.AnnotationFailed]; !marked {
			d.out.Fail = append(d.out.Fail, b.Name)
		}
	}
}
