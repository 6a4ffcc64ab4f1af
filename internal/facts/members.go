// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package facts

import (
	"fmt"
	"strings"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/workload"
)

// Member is the member of a key; nil where there is none.
func (f *Facts) Member(key workload.Key) *Member { return f.members[key] }

// MemberOf is the member that a record is of, whatever its UID; nil where there is none.
func (f *Facts) MemberOf(rec *v1alpha1.RolloutWorkload) *Member { return f.members[KeyOf(rec)] }

// UserPaused reports whether a held workload waits for its user to resume it too.
func (f *Facts) UserPaused(rec *v1alpha1.RolloutWorkload) bool {
	m := f.MemberOf(rec)
	return m != nil && m.UserPaused
}

// TooMany reports whether a plan selects more workloads than a rollout can record.
func TooMany(members []Member) bool {
	n := 0
	for i := range members {
		if members[i].Selected {
			n++
		}
	}
	return n > v1alpha1.MaxWorkloads
}

// MovesNothing reports whether the plan selects workloads, and other plans move all of them.
func MovesNothing(f *Facts) bool {
	selects := false
	for _, m := range f.Sorted {
		if m.Selected && m.Driver {
			return false
		}
		selects = selects || m.Selected
	}
	return selects
}

// Overlap tells which workloads are selected by other plans too.
func Overlap(members []Member) string {
	const limit = 3
	var shared []string
	for i := range members {
		if m := &members[i]; m.Selected && len(m.SharedWith) > 0 {
			shared = append(shared, fmt.Sprintf("%s (also in %s)", m.Name, strings.Join(m.SharedWith, ", ")))
		}
	}
	if len(shared) == 0 {
		return ""
	}
	more := ""
	if n := len(shared) - limit; n > 0 {
		shared, more = shared[:limit], fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("workloads are selected by several plans: %s%s. Narrow spec.workloads.matchLabels, so that each belongs to one plan",
		strings.Join(shared, ", "), more)
}
