// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/rule"
)

// recordLastStart remembers the newest start, should its release be deleted.
func recordLastStart(f *facts.Facts, book *records.Book, s *v1alpha1.DRPlanStatus) {
	for _, r := range book.Releases {
		for i := range r.Wanted.Rollouts {
			ro := &r.Wanted.Rollouts[i]
			if ro.AdmittedTime == nil || s.LastStart != nil && ro.AdmittedTime.Before(&s.LastStart.Time) {
				continue
			}
			next := v1alpha1.LastStart{Time: *ro.AdmittedTime, Version: r.Spec.Version, Rollout: ro.Number}
			if hides(f, ro, s.LastStart) {
				next.Rollout = 0
			}
			s.LastStart = &next
		}
	}
}

// hides reports whether a start of a rollout, which does not count for that rollout itself, would hide one that does: of a
// workload that no release tells of, after the rollout's backup was created.
func hides(f *facts.Facts, ro *v1alpha1.Rollout, earlier *v1alpha1.LastStart) bool {
	if earlier == nil || earlier.Rollout != 0 {
		return false
	}
	if ro.Backup == nil {
		return true
	}
	b := f.Backups[ro.Backup.Name]
	return b == nil || rule.VoidSince(f, b, earlier.Time.Time)
}
