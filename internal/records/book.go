// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package records are the rollouts that the statuses of a plan's releases record, and what they tell by themselves. A Book is
// changed by package ledger only.
package records

import (
	"iter"
	"slices"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
)

// Book are the releases of a plan, oldest first, with their rollouts.
type Book struct {
	Releases []*Release

	facts   *facts.Facts
	last    map[facts.Identity]Start // last start of each workload
	started map[facts.Revision]bool  // templates of each workload that ever started
}

// Release is an AppRelease, with the status that is wanted for it.
type Release struct {
	*v1alpha1.AppRelease

	// Wanted is the status as it is to be written.
	Wanted *v1alpha1.AppReleaseStatus

	// Fresh says that the object does not exist yet.
	Fresh bool

	// Duplicate says that an older release stands for the same version.
	Duplicate bool
}

// Newest is the newest rollout of a release, if it has one.
func (r *Release) Newest() (Rollout, bool) {
	if len(r.Wanted.Rollouts) == 0 {
		return Rollout{}, false
	}
	return Rollout{Rollout: &r.Wanted.Rollouts[0], Of: r}, true
}

// Rollout is a rollout and the release that it belongs to.
type Rollout struct {
	*v1alpha1.Rollout
	Of *Release
}

// Read opens the records as they are stored. They must not be changed.
func Read(f *facts.Facts) *Book {
	book, seen := &Book{facts: f}, map[string]bool{}
	for _, obj := range f.Releases {
		book.Releases = append(book.Releases, &Release{AppRelease: obj, Wanted: &obj.Status, Duplicate: seen[obj.Spec.Version]})
		seen[obj.Spec.Version] = true
	}
	book.readStarts()
	return book
}

// Copy opens copies of the records, to be brought forward.
func Copy(f *facts.Facts) *Book {
	book := Read(f)
	for _, r := range book.Releases {
		r.Wanted = r.Status.DeepCopy()
	}
	return book
}

// Open puts another rollout before those of a release. It ends what an earlier look at the release's rollouts is good for. Of those
// that ended the oldest is forgotten where there are too many, or one that did not end where none did.
func (book *Book) Open(r *Release, ro v1alpha1.Rollout) Rollout {
	r.Wanted.Rollouts = slices.Insert(r.Wanted.Rollouts, 0, ro)
	if len(r.Wanted.Rollouts) > MaxRollouts {
		forgetOne(r.Wanted)
		book.readStarts()
	}
	return Rollout{Rollout: &r.Wanted.Rollouts[0], Of: r}
}

// Primaries are the releases that count.
func (book *Book) Primaries() []*Release {
	return slices.DeleteFunc(slices.Clone(book.Releases), func(r *Release) bool { return r.Duplicate })
}

// Rollouts are the rollouts of the releases that count. Opening another one ends what an earlier call is good for.
func (book *Book) Rollouts() iter.Seq[Rollout] {
	return func(yield func(Rollout) bool) {
		for _, r := range book.Primaries() {
			for i := range r.Wanted.Rollouts {
				if !yield(Rollout{Rollout: &r.Wanted.Rollouts[i], Of: r}) {
					return
				}
			}
		}
	}
}

// HeldRecord finds the record of a held member in an open rollout.
func (book *Book) HeldRecord(m *facts.Member) (Rollout, *v1alpha1.RolloutWorkload) {
	for ro, rec := range book.HeldRecords(m) {
		if rec.TemplateHash == m.Template.Hash {
			return ro, rec
		}
	}
	return Rollout{}, nil
}

// HeldRecords are the records of open rollouts that say that a member is held, whatever template it was held with.
func (book *Book) HeldRecords(m *facts.Member) iter.Seq2[Rollout, *v1alpha1.RolloutWorkload] {
	return func(yield func(Rollout, *v1alpha1.RolloutWorkload) bool) {
		for ro := range book.Rollouts() {
			if !IsOpen(ro.Rollout) {
				continue
			}
			if rec := RecordOf(ro.Rollout, m); rec != nil && rec.State == v1alpha1.WorkloadHeld && !yield(ro, rec) {
				return
			}
		}
	}
}

// RecordedHeld reports whether an open rollout still says that a member is held.
func (book *Book) RecordedHeld(m *facts.Member) bool {
	for range book.HeldRecords(m) {
		return true
	}
	return false
}
