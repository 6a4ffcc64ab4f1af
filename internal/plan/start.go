// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"
	"time"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/rule"
	"github.com/backstay-dr/backstay/internal/running"
	"github.com/backstay-dr/backstay/internal/workload"
)

// startable finds the held workloads that may start, and the first deadline of those that may not.
func startable(f *facts.Facts, book *records.Book) (starts []Start, deadline time.Time) {
	for _, m := range f.Sorted {
		switch {
		case !m.Held(), !m.Driver, running.Restored(f, book, m):
			continue // nothing waits, or another plan moves it, or it waits for a person
		case running.Reverted(f, book, m):
			starts = append(starts, release(book, m, StartReverted))
			continue
		}
		ro, rec := book.HeldRecord(m)
		if rec == nil {
			if f.Mode() != v1alpha1.GateModeHold {
				starts = append(starts, release(book, m, string(v1alpha1.StartModeChanged)))
			}
			continue
		}
		ruling := rule.Apply(f, book, ro, rec)
		if ruling.Start == "" {
			deadline = f.Sooner(deadline, ruling.Until)
			continue
		}
		// What starts another rollout voids the backup of this one: the next decision sees that.
		if s := admit(m, ro, rec, ruling.Start); ruling.Start != v1alpha1.StartBackupCompleted || !startsAnother(starts, s) {
			starts = append(starts, s)
		}
	}
	return starts, deadline
}

// admit is the start of a workload that the rule allows.
func admit(m *facts.Member, ro records.Rollout, rec *v1alpha1.RolloutWorkload, reason v1alpha1.StartReason) Start {
	s := Start{Workload: m.View, Reason: string(reason), Release: ro.Of.Name, Rollout: ro.Number, Since: facts.TimeOf(facts.WaitingSince(rec))}
	if reason == v1alpha1.StartBackupCompleted {
		s.Backup = ro.Backup.Name
	}
	return s
}

// startsAnother reports whether something of another rollout starts than of that of a start.
func startsAnother(starts []Start, s Start) bool {
	return slices.ContainsFunc(starts, func(other Start) bool {
		return other.Reason != StartReverted && (other.Release != s.Release || other.Backup != s.Backup)
	})
}

// releaseUnheld releases what a plan holds that does not hold any more.
func releaseUnheld(f *facts.Facts, book *records.Book) (starts []Start) {
	for _, m := range f.Sorted {
		if m.Held() && m.Driver && !running.Restored(f, book, m) && f.Mode() != v1alpha1.GateModeHold {
			starts = append(starts, release(book, m, string(v1alpha1.StartModeChanged)))
		}
	}
	return starts
}

// releaseOrphans releases what a plan held that is gone, unless another plan selects it. What was restored was held by no
// plan that was here: a restore of a namespace brings its Deployments before its plans.
func releaseOrphans(f *facts.Facts, book *records.Book) (starts []Start, restored []workload.View) {
	for _, m := range f.Sorted {
		switch {
		case !m.HeldByPlan(f.Name), len(m.SharedWith) > 0:
			// it runs, or another plan has it
		case running.Restored(f, book, m):
			restored = append(restored, m.View)
		default:
			starts = append(starts, release(book, m, StartPlanDeleted))
		}
	}
	return starts, restored
}

// release is the release of a hold for which the rule is not asked.
func release(book *records.Book, m *facts.Member, reason string) Start {
	s := Start{Workload: m.View, Reason: reason}
	for ro, rec := range book.HeldRecords(m) {
		if s.Since = facts.TimeOf(facts.WaitingSince(rec)); rec.TemplateHash == m.Template.Hash {
			s.Release, s.Rollout = ro.Of.Name, ro.Number
		}
	}
	return s
}
