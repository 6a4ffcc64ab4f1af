// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package records

import (
	"cmp"
	"slices"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
)

// compareRecords is their order in a status.
func compareRecords(a, b v1alpha1.RolloutWorkload) int {
	return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
}

// Overdue reports whether a workload is held beyond its deadline, as it was recorded.
func Overdue(rec *v1alpha1.RolloutWorkload) bool {
	return rec.State == v1alpha1.WorkloadHeld && rec.DeadlineTime != nil
}

// Put puts a record into a rollout, in place of an older one of the same workload. Where there is no more room, one that ended
// makes place.
func (book *Book) Put(ro Rollout, rec v1alpha1.RolloutWorkload) {
	ro.Workloads = slices.DeleteFunc(ro.Workloads, func(old v1alpha1.RolloutWorkload) bool { return facts.KeyOf(&old) == facts.KeyOf(&rec) })
	for len(ro.Workloads) >= v1alpha1.MaxWorkloads {
		i := max(0, slices.IndexFunc(ro.Workloads, func(old v1alpha1.RolloutWorkload) bool { return Ended(&old) }))
		ro.Workloads = slices.Delete(ro.Workloads, i, i+1)
	}
	ro.Workloads = append(ro.Workloads, rec)
	slices.SortFunc(ro.Workloads, compareRecords)
	book.Note(ro, &rec)
}

// Ended reports whether nothing more happens to a workload in its rollout.
func Ended(rec *v1alpha1.RolloutWorkload) bool {
	return rec.State != v1alpha1.WorkloadHeld && rec.State != v1alpha1.WorkloadAdmitted
}

// RecordOf is the record of a member in a rollout, if it still stands for it.
func RecordOf(ro *v1alpha1.Rollout, m *facts.Member) *v1alpha1.RolloutWorkload {
	for i := range ro.Workloads {
		rec := &ro.Workloads[i]
		if facts.KeyOf(rec) == m.Key && rec.UID == string(m.UID) && (rec.State == v1alpha1.WorkloadHeld || rec.StartReason != "") {
			return rec
		}
	}
	return nil
}

// Record is the record of the same workload in another rollout; an empty one where there is none.
func Record(ro *v1alpha1.Rollout, like *v1alpha1.RolloutWorkload) *v1alpha1.RolloutWorkload {
	for i := range ro.Workloads {
		if facts.KeyOf(&ro.Workloads[i]) == facts.KeyOf(like) {
			return &ro.Workloads[i]
		}
	}
	return &v1alpha1.RolloutWorkload{}
}

// RolloutFailed reports whether a workload of a rollout failed, and that still stands.
func RolloutFailed(rec *v1alpha1.RolloutWorkload) bool { return rec.FailedTime != nil }
