// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/running"
	"github.com/backstay-dr/backstay/internal/workload"
)

// takenOver are the workloads to mark as held by this plan, which moves them, where the mark names another plan: one that is gone, or the one that
// admission asked last of those that select the workload. Without its labels a workload is its holder's alone.
func (out *Decision) takenOver(f *facts.Facts, book *records.Book) (views []workload.View) {
	if f.Mode() != v1alpha1.GateModeHold {
		return nil
	}
	for _, m := range f.Sorted {
		if m.Held() && m.Selected && m.Driver && !m.HeldByPlan(f.Name) && !running.Restored(f, book, m) && !out.writes(m) {
			views = append(views, m.View)
		}
	}
	return views
}

// writes reports whether the decision writes on a workload already.
func (out *Decision) writes(m *facts.Member) bool {
	is := func(v workload.View) bool { return v.UID == m.UID }
	return slices.ContainsFunc(out.Starts, func(s Start) bool { return is(s.Workload) }) ||
		slices.ContainsFunc(out.Clean, is) || slices.ContainsFunc(out.Remark, is)
}

// clean are the workloads to rid of marks that mean nothing any more, and the record of an override, which is in a status by now. That one
// is for the plan that moves the workload.
func clean(f *facts.Facts) (views []workload.View) {
	for _, m := range f.Sorted {
		ours := m.Driver || !m.Selected && len(m.SharedWith) == 0
		if ours && (m.StaleHold() || m.Override != nil || m.HeldReason != "" && !m.Held()) {
			views = append(views, m.View)
		}
	}
	return views
}
