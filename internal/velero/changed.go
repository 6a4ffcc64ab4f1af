// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package velero

import (
	"maps"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

// ProgressStep is the tenth that a Backup has reached: finer steps are not reported, since Velero writes the progress once a
// second. It is 0 where that is not known.
func ProgressStep(done, total int) int {
	if total <= 0 {
		return 0
	}
	return 10 * max(done, 0) / total
}

// BackupChanged reports whether an update of a Backup changes anything that a release reports. Labels and annotations say
// which version it captured, and for which rollout.
func BackupChanged(from, to *velerov1.Backup) bool {
	return changed(from, to, func(s *velerov1.BackupStatus) {
		if p := s.Progress; p != nil {
			s.Progress = &velerov1.BackupProgress{TotalItems: p.TotalItems, ItemsBackedUp: ProgressStep(p.ItemsBackedUp, p.TotalItems)}
		}
	})
}

// BackupAdvanced reports whether an update of a Backup changes anything that the status of a plan reports: neither how far it
// is nor how many are before it.
func BackupAdvanced(from, to *velerov1.Backup) bool {
	return changed(from, to, func(s *velerov1.BackupStatus) { s.Progress, s.QueuePosition = nil, 0 })
}

// changed compares labels, annotations, and the status but for what ignore takes out of a copy of it. No decision reads the spec.
func changed(from, to *velerov1.Backup, ignore func(*velerov1.BackupStatus)) bool {
	if from.UID != to.UID || !maps.Equal(from.Labels, to.Labels) || !maps.Equal(from.Annotations, to.Annotations) {
		return true
	}
	before, after := from.Status, to.Status
	ignore(&before)
	ignore(&after)
	return !equality.Semantic.DeepEqual(&before, &after)
}
