// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package facts

import (
	"slices"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/drift"
	"github.com/backstay-dr/backstay/internal/workload"
)

// FirstSeen reports whether the plan has not seen a workload before: what it runs now is where the plan begins from.
func (f *Facts) FirstSeen(m *Member) bool {
	seen := f.SeenBefore(m)
	return seen == nil || seen.TemplateHash == ""
}

// HeldBefore is what the plan's status says of a workload that was held when it was written; nil where it says nothing.
func (f *Facts) HeldBefore(m *Member) *v1alpha1.HeldWorkload {
	if f.Plan == nil {
		return nil
	}
	for i := range f.Plan.Status.Held {
		if h := &f.Plan.Status.Held[i]; h.Group == m.Group && h.Kind == m.Kind && h.Name == m.Name {
			return h
		}
	}
	return nil
}

// remember reads what the plan's status says of its workloads, and of those that left it, in the scheme by which the members'
// hashes are computed.
func (f *Facts) remember() {
	f.seen = map[Identity]*v1alpha1.PlanWorkload{}
	if f.Plan == nil {
		f.Scheme = workload.Scheme(nil)
		return
	}
	f.Scheme = workload.Scheme(f.Plan.Spec.Gate.RestartAnnotations)
	for _, w := range slices.Concat(f.Plan.Status.Departed, f.Plan.Status.Workloads) {
		key := KeyOfSeen(&w)
		m := f.Member(key)
		if m != nil && adoptedFrom(m, &w) {
			w.UID = string(m.UID)
		}
		if id := (Identity{key, w.UID}); f.seen[id] == nil || w.TemplateHash != "" {
			f.seen[id] = f.inScheme(w, m)
		}
	}
}

// adoptedFrom reports whether a workload goes on with the pods of one of its name that was deleted without them: it adopted the
// ReplicaSet that ran. To the plan it is the same, or else its creation, which is not held, would roll over those pods unseen.
func adoptedFrom(m *Member, w *v1alpha1.PlanWorkload) bool {
	return w.Revision != "" && slices.ContainsFunc(m.Revisions, func(rev workload.Revision) bool { return rev.Name == w.Revision })
}

// inScheme translates what was remembered by hashes of another scheme: the ReplicaSets that ran tell their templates by their
// names. What cannot be compared is not known, and is never taken for a difference. Where the ReplicaSet that ran is gone and
// another one runs, that one started since.
func (f *Facts) inScheme(w v1alpha1.PlanWorkload, m *Member) *v1alpha1.PlanWorkload {
	if w.TemplateHash == "" || workload.Comparable(w.TemplateHash, f.Scheme) {
		return &w
	}
	if m == nil || string(m.UID) != w.UID || w.Revision == "" {
		w.TemplateHash, w.OtherRevisions = "", nil
		return &w
	}
	others := w.OtherRevisions
	w.OtherRevisions = nil
	for i := range m.Revisions {
		rev := &m.Revisions[i]
		if rev.Name == w.Revision {
			w.TemplateHash = rev.Template.Hash
		}
		if slices.ContainsFunc(others, func(r v1alpha1.PlanRevision) bool { return r.Name == rev.Name }) {
			w.OtherRevisions = append(w.OtherRevisions, v1alpha1.PlanRevision{Name: rev.Name, TemplateHash: rev.Template.Hash})
		}
	}
	return &w
}

// SeenBefore is what the plan remembers of a member; nil where it never saw it.
func (f *Facts) SeenBefore(m *Member) *v1alpha1.PlanWorkload { return f.seen[IdentityOf(m)] }

// RanBefore reports whether the plan remembers that a template of a workload ran, though not why: when the plan first saw the
// workload, for example. That is no escape, but when it started is not known.
func (f *Facts) RanBefore(m *Member, hash string) bool {
	seen := f.SeenBefore(m)
	return seen != nil && slices.ContainsFunc(seen.OtherRevisions, func(r v1alpha1.PlanRevision) bool { return r.TemplateHash == hash })
}

// Exists reports whether a workload that is remembered exists.
func Exists(f *Facts, w *v1alpha1.PlanWorkload) bool {
	m := f.Member(KeyOfSeen(w))
	return m != nil && string(m.UID) == w.UID
}

// Stayed reports whether the plan selected a workload when its status was written.
func (f *Facts) Stayed(m *Member) bool {
	return slices.ContainsFunc(f.Plan.Status.Workloads, func(w v1alpha1.PlanWorkload) bool {
		return w.UID == string(m.UID) && KeyOfSeen(&w) == m.Key
	})
}

// VersionSeen is the version that a workload was last seen to run.
func VersionSeen(seen *v1alpha1.PlanWorkload) drift.Version {
	return drift.Version{Value: seen.Version, Source: seen.VersionSource}
}
