// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package rule

import (
	"time"

	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/running"
	"github.com/backstay-dr/backstay/internal/workload"
)

// LastOtherStart is when anything of the plan last started, the rollout's own workloads excepted.
func LastOtherStart(f *facts.Facts, book *records.Book, ro records.Rollout) time.Time {
	return facts.Later(lastRecordedStart(f, book, ro), lastUnseenStart(f, book, ro))
}

// lastRecordedStart finds it in the records: those of the releases, and what the plan remembers should one of them
// have been deleted.
func lastRecordedStart(f *facts.Facts, book *records.Book, ro records.Rollout) time.Time {
	var last time.Time
	for _, r := range book.Releases {
		for i := range r.Wanted.Rollouts {
			other := &r.Wanted.Rollouts[i]
			if own := r == ro.Of && other.Number == ro.Number; !own && other.AdmittedTime != nil {
				last = facts.Later(last, other.AdmittedTime.Time)
			}
		}
	}
	if s := f.Plan.Status.LastStart; s != nil && (s.Version != ro.Of.Spec.Version || s.Rollout != ro.Number) {
		last = facts.Later(last, s.Time.Time)
	}
	return last
}

// lastUnseenStart finds it among the revisions that nobody is known to have admitted. They ran, or there were no
// ReplicaSet of them, while no operator looked: it was down and somebody overrode the hold, or the gate was not in force.
// Whatever runs this rollout's version is its own.
func lastUnseenStart(f *facts.Facts, book *records.Book, ro records.Rollout) time.Time {
	var last time.Time
	for _, m := range f.Sorted {
		if m.Selected && (m.Held() || f.VersionOf(m).Value != ro.Of.Spec.Version) {
			last = facts.Later(last, m.Created.Add(-oneClock)) // created, or deleted and created again, is started
		}
		admitted, known := running.LastAdmitted(f, book, m)
		if !m.Selected {
			continue
		}
		if known && m.Held() && !facts.Runs(m, admitted.Hash) {
			last = facts.Later(last, heldSince(f, book, m))
		}
		for i := range m.Revisions {
			rev := &m.Revisions[i]
			if !known && rev.Pods == 0 || running.Remembered(f, book, m, rev.Template.Hash) || owns(f, ro, m, rev) {
				continue
			}
			last = facts.Later(last, facts.FirstCreated(m, rev.Template.Hash).Add(-oneClock))
		}
	}
	return last
}

// oneClock is what of facts.StartMargin is not needed between two times that the API server wrote.
const oneClock = facts.StartMargin - time.Second

// heldSince is the latest time at which a held workload can have started what runs under the hold, where that is not
// what was last admitted: an older revision, whose ReplicaSet does not tell.
func heldSince(f *facts.Facts, book *records.Book, m *facts.Member) time.Time {
	if _, rec := book.HeldRecord(m); rec != nil && rec.HeldSince != nil {
		return rec.HeldSince.Time
	}
	return f.At.Time
}

// owns reports whether a revision of a workload is of a rollout: recorded by it, or of its version.
func owns(f *facts.Facts, ro records.Rollout, m *facts.Member, rev *workload.Revision) bool {
	for i := range ro.Workloads {
		if rec := &ro.Workloads[i]; facts.KeyOf(rec) == m.Key && rec.TemplateHash == rev.Template.Hash {
			return true
		}
	}
	return f.Artifacts.Resolve(rev.Template, nil).Value == ro.Of.Spec.Version
}
