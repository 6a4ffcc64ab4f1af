// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package running

import (
	"slices"

	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/workload"
)

// Reverted reports whether a held workload asks for the template that runs: then nothing new starts. Both the records and
// the ReplicaSets must say that it runs, since something else may have started while no operator looked. And another
// template must have been seen held: one that looks as what runs and is held all the same may differ in a field that
// this version of Backstay does not know.
func Reverted(f *facts.Facts, book *records.Book, m *facts.Member) bool {
	admitted, known := LastAdmitted(f, book, m)
	if !known || !m.Held() || m.Override != nil || admitted.Hash != m.Template.Hash || !facts.Runs(m, admitted.Hash) {
		return false
	}
	return (heldAnother(f, book, m) || startedHeld(book, m)) && !runsAnother(f, book, m, admitted)
}

// runsAnother reports whether another template than the one that was admitted may have started since.
func runsAnother(f *facts.Facts, book *records.Book, m *facts.Member, admitted Admitted) bool {
	current, _ := m.Revision(admitted.Hash)
	return slices.ContainsFunc(m.Revisions, func(rev workload.Revision) bool {
		switch {
		case rev.Template.Hash == admitted.Hash:
			return false
		case m.Active() == 0:
			return true // scaled to none: which of them ran last is not to be seen
		case rev.Replicas == 0:
			return false
		case admitted.Replaced, admitted.Bypassed:
			return true // what was admitted had replaced everything, or never was to replace it
		default:
			return rev.Created.After(current.Created.Time) && !explained(f, book, m, rev.Template.Hash)
		}
	})
}

// startedHeld reports whether what a workload is held with started under the hold, and is still to be released.
func startedHeld(book *records.Book, m *facts.Member) bool {
	last, recorded := book.LastStart(m)
	return recorded && last.UnderHold && last.Hash == m.Template.Hash
}

// heldAnother reports whether another template of a workload was held.
func heldAnother(f *facts.Facts, book *records.Book, m *facts.Member) bool {
	for _, rec := range book.HeldRecords(m) {
		if rec.TemplateHash != m.Template.Hash && workload.Comparable(rec.TemplateHash, f.Scheme) {
			return true
		}
	}
	return false
}
