// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"cmp"
	"slices"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/running"
)

// recordWorkloads keeps the revision of each workload that was last admitted. A change that the releases have not
// recorded yet is left standing against the old entry: that is how it is found.
func recordWorkloads(f *facts.Facts, book *records.Book, s *v1alpha1.DRPlanStatus) {
	s.Workloads = nil
	for _, m := range f.Sorted {
		if !m.Selected {
			continue
		}
		w := planWorkloadNow(f, book, m)
		if joined(f, m) || startedUntold(f, book, m, w) {
			s.LastStart = &v1alpha1.LastStart{Time: *facts.StartTime(f), Version: w.Version}
		}
		s.Workloads = append(s.Workloads, w)
	}
	recordLastStart(f, book, s)
}

// joined reports whether a workload came to the plan that was another's, or nobody's: what it started meanwhile no backup of
// this plan need hold. Where the plan is new itself that is so for what is rolling out. One that was only just created has
// started nothing else.
func joined(f *facts.Facts, m *facts.Member) bool {
	if f.Stayed(m) || m.Generation <= 1 {
		return false
	}
	return f.Plan.Status.ObservedGeneration > 0 || !m.Paused && !m.RolledOut
}

// startedUntold reports whether a workload started something that no release tells of: while the gate was Disabled, or
// while the plan did not select it. A backup from before does not hold it.
func startedUntold(f *facts.Facts, book *records.Book, m *facts.Member, w v1alpha1.PlanWorkload) bool {
	last, recorded := book.LastStart(m)
	before := last.Hash
	if old := f.SeenBefore(m); old != nil && old.TemplateHash != "" {
		before = old.TemplateHash
	}
	return before != "" && before != w.TemplateHash && !(recorded && last.Hash == w.TemplateHash)
}

func planWorkloadNow(f *facts.Facts, book *records.Book, m *facts.Member) v1alpha1.PlanWorkload {
	w := v1alpha1.PlanWorkload{Group: m.Group, Kind: m.Kind, Name: m.Name, UID: string(m.UID)}
	if running.EscapedAtFirst(f, book, m) {
		return w
	}
	admitted, known := running.LastAdmitted(f, book, m)
	switch {
	case known && admitted.Hash == m.Template.Hash && !m.Held(), !m.Paused && (accounted(f, m) || running.AdmittedLast(f, book, m) && !book.RecordedHeld(m)):
		v := f.VersionOf(m)
		w.Version, w.VersionSource = v.Value, v.Source
		if _, started := m.Revision(m.Template.Hash); started || !f.FirstSeen(m) {
			w.TemplateHash = m.Template.Hash // before that, nothing tells yet whether it starts over other pods: see startedOver
		}
	case known:
		w.Version, w.VersionSource, w.TemplateHash = admitted.Version.Value, admitted.Version.Source, admitted.Hash
	default:
		if r, ok := facts.RanLast(m); ok {
			v := f.Artifacts.Resolve(r.Template, nil)
			w.Version, w.VersionSource, w.TemplateHash = v.Value, v.Source, r.Template.Hash
		}
	}
	if rev, ok := m.Revision(w.TemplateHash); ok {
		w.Revision = rev.Name
	} else if seen := f.SeenBefore(m); seen != nil && seen.TemplateHash == w.TemplateHash {
		w.Revision = seen.Revision // it is being deleted, and has left its ReplicaSets already
	}
	w.OtherRevisions = otherRevisions(f, m, w.TemplateHash)
	return w
}

// maxOtherRevisions is how many further revisions of a workload the plan remembers.
const maxOtherRevisions = 4

// otherRevisions are the further revisions of a workload that ran with reason: what ran when the plan first saw it, and what it
// admitted before. Each is kept for as long as its ReplicaSet exists, so that the end of a rollout is no reason to write.
func otherRevisions(f *facts.Facts, m *facts.Member, admitted string) []v1alpha1.PlanRevision {
	seen := f.SeenBefore(m)
	var out []v1alpha1.PlanRevision
	for _, rev := range facts.NewestFirst(m) {
		hash := rev.Template.Hash
		known := f.FirstSeen(m) && rev.Pods > 0 || f.RanBefore(m, hash) || seen != nil && seen.TemplateHash == hash
		if known && hash != admitted && len(out) < maxOtherRevisions {
			out = append(out, v1alpha1.PlanRevision{Name: rev.Name, TemplateHash: hash})
		}
	}
	slices.SortFunc(out, func(a, b v1alpha1.PlanRevision) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// accounted reports whether what a workload runs needs no rollout to account for it: it is seen for the first time, or
// nobody asked for more.
func accounted(f *facts.Facts, m *facts.Member) bool {
	return f.FirstSeen(m) || f.Mode() == v1alpha1.GateModeDisabled || !m.Driver
}
