// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package running

import (
	"github.com/backstay-dr/backstay/internal/drift"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/workload"
)

// ServingVersions are the versions that serve, of each workload that the plan selects.
func ServingVersions(f *facts.Facts, book *records.Book) []drift.Version {
	var out []drift.Version
	for _, m := range f.Sorted {
		if m.Selected {
			out = append(out, Serving(f, book, m))
		}
	}
	return out
}

// Serving is the version of a workload that serves: the one that was last admitted, unless only pods of others are ready, as
// when a rollout fails. Where no pod is ready it is the one that was last admitted.
func Serving(f *facts.Facts, book *records.Book, m *facts.Member) drift.Version {
	rev, other := servesInstead(f, book, m)
	if !other {
		return Version(f, book, m)
	}
	if v, known := previousOf(book, m, rev.Name); known {
		return v
	}
	return f.Artifacts.Resolve(rev.Template, nil)
}

// servesInstead finds the newest revision with ready pods where the one that was last admitted has none.
func servesInstead(f *facts.Facts, book *records.Book, m *facts.Member) (newest workload.Revision, found bool) {
	admitted := m.Template.Hash
	if m.Paused {
		last, _ := LastAdmitted(f, book, m)
		admitted = last.Hash
	}
	for _, rev := range m.Revisions {
		switch {
		case rev.Ready == 0:
		case rev.Template.Hash == admitted:
			return workload.Revision{}, false
		case !found || newest.Created.Before(&rev.Created):
			newest, found = rev, true
		}
	}
	return newest, found
}

// previousOf is the version of a revision as a rollout that is open recorded it when it replaced that revision: the labels of
// the workload, which may have told it, speak of the new one by now.
func previousOf(book *records.Book, m *facts.Member, revision string) (drift.Version, bool) {
	for ro := range book.Rollouts() {
		if rec := records.RecordOf(ro.Rollout, m); records.IsOpen(ro.Rollout) && rec != nil && rec.PreviousRevision == revision && rec.PreviousVersion != "" {
			return drift.Version{Value: rec.PreviousVersion}, true
		}
	}
	return drift.Version{}, false
}
