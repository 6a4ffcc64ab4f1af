// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"time"

	"github.com/backstay-dr/backstay/internal/workload"
)

// lastOtherStart is when anything of the plan last started, the rollout's own workloads excepted.
func (d *decider) lastOtherStart(ro course) time.Time {
	return later(d.lastRecordedStart(ro), d.lastUnseenStart(ro))
}

// lastRecordedStart finds it in the records: those of the releases, and what the plan remembers should one of them
// have been deleted.
func (d *decider) lastRecordedStart(ro course) time.Time {
	var last time.Time
	for _, r := range d.releases {
		for i := range r.status.Rollouts {
			other := &r.status.Rollouts[i]
			if own := r == ro.of && other.Number == ro.Number; !own && other.AdmittedTime != nil {
				last = later(last, other.AdmittedTime.Time)
			}
		}
	}
	if s := d.plan.Status.LastStart; s != nil && (s.Version != ro.of.Spec.Version || s.Rollout != ro.Number) {
		last = later(last, s.Time.Time)
	}
	return last
}

// lastUnseenStart finds it among the revisions that nobody is known to have let go. They ran, or there were no
// ReplicaSet of them, while no operator looked: it was down and somebody overrode the hold, or the gate was not in force.
// Whatever runs this rollout's version is its own.
func (d *decider) lastUnseenStart(ro course) time.Time {
	var last time.Time
	for _, m := range d.sorted {
		if m.Selected && (m.Held() || d.versionOf(m).Value != ro.of.Spec.Version) {
			last = later(last, m.Created.Add(-oneClock)) // created, or deleted and created again, is started
		}
		let, known := d.lastLetThrough(m)
		if !m.Selected {
			continue
		}
		if known && m.Held() && !runs(m, let.hash) {
			last = later(last, d.heldSince(m))
		}
		for i := range m.Revisions {
			rev := &m.Revisions[i]
			if !known && rev.Pods == 0 || d.remembered(m, rev.Template.Hash) || d.owns(ro, m, rev) {
				continue
			}
			last = later(last, firstCreated(m, rev.Template.Hash).Add(-oneClock))
		}
	}
	return last
}

// oneClock is what of startMargin is not needed between two times that the API server wrote.
const oneClock = startMargin - time.Second

// heldSince is the latest time at which a held workload can have started what runs under the hold, where that is not
// what was last let through: an older revision, whose ReplicaSet does not tell.
func (d *decider) heldSince(m *Member) time.Time {
	if _, rec := d.heldRecord(m); rec != nil && rec.HeldSince != nil {
		return rec.HeldSince.Time
	}
	return d.now.Time
}

// owns reports whether a revision of a workload is of a rollout: recorded by it, or of its version.
func (d *decider) owns(ro course, m *Member, rev *workload.Revision) bool {
	for i := range ro.Workloads {
		if rec := &ro.Workloads[i]; keyOf(rec) == m.Key && rec.TemplateHash == rev.Template.Hash {
			return true
		}
	}
	return d.artifacts.Resolve(rev.Template, nil).Value == ro.of.Spec.Version
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
