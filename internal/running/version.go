// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package running

import (
	"slices"

	"github.com/backstay-dr/backstay/internal/drift"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
)

// Version is the version that runs of a workload, whatever is held over it.
func Version(f *facts.Facts, book *records.Book, m *facts.Member) drift.Version {
	admitted, known := LastAdmitted(f, book, m)
	switch known = known && facts.Runs(m, admitted.Hash); {
	case !m.Paused || known && admitted.Hash == m.Template.Hash:
		return f.VersionOf(m)
	case known:
		return admitted.Version
	}
	if r, ok := facts.SoleRevision(m); ok {
		// The labels of the workload speak of the template that is held, not of this one.
		return f.Artifacts.Resolve(r.Template, nil)
	}
	return drift.Version{}
}

// PreviousRevision names the revision that runs of a workload: what a restore puts back.
func PreviousRevision(f *facts.Facts, book *records.Book, m *facts.Member) string {
	if admitted, known := LastAdmitted(f, book, m); known && admitted.Hash != m.Template.Hash && (!m.Paused || facts.Runs(m, admitted.Hash)) {
		if r, ok := m.Revision(admitted.Hash); ok {
			return r.Name
		}
	}
	if r, ok := facts.SoleRevision(m); ok && r.Template.Hash != m.Template.Hash {
		return r.Name
	}
	return ""
}

// Captured is the version that a backup which begins now captures: "" where several run, or a rollout is in flight.
func Captured(f *facts.Facts, book *records.Book) string {
	for _, m := range f.Sorted {
		if m.Selected && inFlight(f, book, m) {
			return ""
		}
	}
	running := Versions(f, book)
	if slices.ContainsFunc(running, func(v drift.Version) bool { return v.Value == "" }) {
		return ""
	}
	if distinct := drift.Distinct(running); len(distinct) == 1 {
		return distinct[0]
	}
	return ""
}

// inFlight reports whether a workload is, or may be, on its way from one template to another. A restart is no such way.
func inFlight(f *facts.Facts, book *records.Book, m *facts.Member) bool {
	admitted, known := LastAdmitted(f, book, m)
	if known && !admitted.Settled || !m.Paused && !facts.Runs(m, m.Template.Hash) {
		return true
	}
	active := map[string]bool{}
	for i := range m.Revisions {
		if rev := &m.Revisions[i]; rev.Replicas > 0 {
			active[rev.Template.Hash] = true
		}
	}
	return len(active) > 1
}

// PreviousVersions tells in one text what ran before what starts now, or is held.
func PreviousVersions(f *facts.Facts, book *records.Book) string {
	var versions []drift.Version
	for _, m := range f.Sorted {
		if m.Selected {
			versions = append(versions, Previous(f, book, m))
		}
	}
	return drift.Summary(drift.Distinct(versions))
}

// Previous is the version that ran of a workload before the template that it asks for.
func Previous(f *facts.Facts, book *records.Book, m *facts.Member) drift.Version {
	if admitted, known := LastAdmitted(f, book, m); known && !m.Paused && admitted.Hash != m.Template.Hash {
		return admitted.Version
	}
	return Version(f, book, m)
}

// Versions are the versions that run, of each workload that the plan selects.
func Versions(f *facts.Facts, book *records.Book) []drift.Version {
	var out []drift.Version
	for _, m := range f.Sorted {
		if m.Selected {
			out = append(out, Version(f, book, m))
		}
	}
	return out
}
