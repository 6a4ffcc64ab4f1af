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

// BackupChanged reports whether an update of a Backup changes anything that a decision reads: its labels and annotations, which say
// which version it captured, and for which rollout, and its status. No decision reads the spec.
func BackupChanged(from, to *velerov1.Backup) bool {
	if from.UID != to.UID || !maps.Equal(from.Labels, to.Labels) || !maps.Equal(from.Annotations, to.Annotations) {
		return true
	}
	before, after := from.Status, to.Status
	for _, s := range []*velerov1.BackupStatus{&before, &after} {
		if p := s.Progress; p != nil {
			s.Progress = &velerov1.BackupProgress{TotalItems: p.TotalItems, ItemsBackedUp: ProgressStep(p.ItemsBackedUp, p.TotalItems)}
		}
	}
	return !equality.Semantic.DeepEqual(&before, &after)
}
