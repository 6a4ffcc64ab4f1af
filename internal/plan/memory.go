// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"slices"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/workload"
)

// recordWorkloads keeps the revision of each workload that was last let through. A change that the releases have not
// recorded yet is left standing against the old entry: that is how it is found.
func (d *decider) recordWorkloads(s *v1alpha1.DRPlanStatus) {
	s.Workloads = nil
	for _, m := range d.sorted {
		if !m.Selected {
			continue
		}
		w := d.planWorkloadNow(m)
		if d.joined(m) || d.startedUntold(m, w) {
			s.LastStart = &v1alpha1.LastStart{Time: *d.startTime(), Version: w.Version}
		}
		s.Workloads = append(s.Workloads, w)
	}
	d.recordLastStart(s)
}

// recordDeparted keeps what the plan knows of workloads that it selects no more, for as long as they exist: should one come
// back with another template, that bypassed the gate. And of those that were deleted without their pods, until another one of the
// name adopts these.
func (d *decider) recordDeparted(s *v1alpha1.DRPlanStatus) {
	s.Departed = nil
	remembered := slices.Concat(d.plan.Status.Departed, d.plan.Status.Workloads)
	keep := func(w v1alpha1.PlanWorkload) {
		s.Departed = slices.DeleteFunc(s.Departed, func(other v1alpha1.PlanWorkload) bool { return keyOfSeen(&other) == keyOfSeen(&w) })
		s.Departed = append(s.Departed, w)
	}
	for i := range remembered {
		if w := &remembered[i]; w.TemplateHash != "" && !d.exists(w) && d.in.Left[LeftBy(w)] {
			keep(*w)
		}
	}
	for i := range remembered {
		if w := &remembered[i]; w.TemplateHash != "" && d.exists(w) && !d.members[keyOfSeen(w)].Selected {
			keep(*d.seenBefore(d.members[keyOfSeen(w)]))
		}
	}
	s.Departed = s.Departed[max(0, len(s.Departed)-v1alpha1.MaxWorkloads):]
}

// exists reports whether a workload that is remembered exists.
func (d *decider) exists(w *v1alpha1.PlanWorkload) bool {
	m := d.members[keyOfSeen(w)]
	return m != nil && string(m.UID) == w.UID
}

// joined reports whether a workload came to the plan that was another's, or nobody's: what it started meanwhile no backup of
// this plan need hold. Where the plan is new itself that is so for what is rolling out. One that was only just created has
// started nothing else.
func (d *decider) joined(m *Member) bool {
	if d.stayed(m) || m.Generation <= 1 {
		return false
	}
	return d.plan.Status.ObservedGeneration > 0 || !m.Paused && !m.RolledOut
}

// stayed reports whether the plan selected a workload when its status was written.
func (d *decider) stayed(m *Member) bool {
	return slices.ContainsFunc(d.plan.Status.Workloads, func(w v1alpha1.PlanWorkload) bool {
		return w.UID == string(m.UID) && keyOfSeen(&w) == m.Key
	})
}

// startedUntold reports whether a workload started something that no release tells of: while the gate was Disabled, or
// while the plan did not select it. A backup from before does not hold it.
func (d *decider) startedUntold(m *Member, w v1alpha1.PlanWorkload) bool {
	last, recorded := d.history().last[identityOf(m)]
	before := last.hash
	if old := d.seenBefore(m); old != nil && old.TemplateHash != "" {
		before = old.TemplateHash
	}
	return before != "" && before != w.TemplateHash && !(recorded && last.hash == w.TemplateHash)
}

func (d *decider) planWorkloadNow(m *Member) v1alpha1.PlanWorkload {
	w := v1alpha1.PlanWorkload{Group: m.Group, Kind: m.Kind, Name: m.Name, UID: string(m.UID)}
	if d.escapedAtFirst(m) {
		return w
	}
	let, known := d.lastLetThrough(m)
	switch {
	case known && let.hash == m.Template.Hash && !m.Held(), !m.Paused && (d.accounted(m) || d.admittedLast(m) && !d.recordedHeld(m)):
		v := d.versionOf(m)
		w.Version, w.VersionSource = v.Value, v.Source
		if _, started := m.Revision(m.Template.Hash); started || !d.firstSeen(m) {
			w.TemplateHash = m.Template.Hash // before that, nothing tells yet whether it starts over other pods: see startedOver
		}
	case known:
		w.Version, w.VersionSource, w.TemplateHash = let.version.Value, let.version.Source, let.hash
	default:
		if r, ok := ranLast(m); ok {
			v := d.artifacts.Resolve(r.Template, nil)
			w.Version, w.VersionSource, w.TemplateHash = v.Value, v.Source, r.Template.Hash
		}
	}
	if rev, ok := m.Revision(w.TemplateHash); ok {
		w.Revision = rev.Name
	} else if seen := d.seenBefore(m); seen != nil && seen.TemplateHash == w.TemplateHash {
		w.Revision = seen.Revision // it is being deleted, and has left its ReplicaSets already
	}
	w.OtherRevisions = d.otherRevisions(m, w.TemplateHash)
	return w
}

// escapedAtFirst reports whether a workload that the plan sees for the first time escaped, which is not recorded yet: until it is,
// nothing is remembered of the workload.
func (d *decider) escapedAtFirst(m *Member) bool {
	_, known := d.lastLetThrough(m)
	return !known && d.mode() != v1alpha1.GateModeDisabled && m.Driver && d.firstSeen(m) && len(d.startedOver(m)) > 0
}

// newestFirst are the revisions of a workload: those with pods, then the others, the newest first.
func newestFirst(m *Member) []workload.Revision {
	return slices.SortedFunc(slices.Values(m.Revisions), func(a, b workload.Revision) int {
		return cmp.Or(cmp.Compare(min(b.Pods, 1), min(a.Pods, 1)), b.Created.Compare(a.Created.Time), cmp.Compare(a.Name, b.Name))
	})
}

// ranLast is the revision of a workload that nothing is recorded of which ran last, as far as its ReplicaSets tell: what it asks
// for if that has pods, else the newest that has some; of one that is scaled to none what it asks for if that ever ran, else the
// newest.
func ranLast(m *Member) (workload.Revision, bool) {
	asked, exists := m.Revision(m.Template.Hash)
	if exists && asked.Pods > 0 && !m.Held() {
		return asked, true
	}
	revisions := newestFirst(m)
	for _, rev := range revisions {
		if rev.Pods > 0 {
			return rev, true
		}
	}
	if exists && !m.Held() {
		return asked, true
	}
	if len(revisions) == 0 {
		return workload.Revision{}, false
	}
	return revisions[0], true
}

// maxOtherRevisions is how many further revisions of a workload the plan remembers.
const maxOtherRevisions = 4

// otherRevisions are the further revisions of a workload that ran with reason: what ran when the plan first saw it, and what it
// admitted before. Each is kept for as long as its ReplicaSet exists, so that the end of a rollout is no reason to write.
func (d *decider) otherRevisions(m *Member, admitted string) []v1alpha1.PlanRevision {
	seen := d.seenBefore(m)
	var out []v1alpha1.PlanRevision
	for _, rev := range newestFirst(m) {
		hash := rev.Template.Hash
		known := d.firstSeen(m) && rev.Pods > 0 || d.ranBefore(m, hash) || seen != nil && seen.TemplateHash == hash
		if known && hash != admitted && len(out) < maxOtherRevisions {
			out = append(out, v1alpha1.PlanRevision{Name: rev.Name, TemplateHash: hash})
		}
	}
	slices.SortFunc(out, func(a, b v1alpha1.PlanRevision) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// accounted reports whether what a workload runs needs no rollout to account for it: it is seen for the first time, or
// nobody asked for more.
func (d *decider) accounted(m *Member) bool {
	return d.firstSeen(m) || d.mode() == v1alpha1.GateModeDisabled || !m.Driver
}
