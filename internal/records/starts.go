// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package records

import (
	"time"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/drift"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/workload"
)

// Start is one start of a workload, as it is recorded.
type Start struct {
	Hash       string
	Version    drift.Version
	Generation int64
	At         time.Time

	// Settled says that its rollout ended, by whatever way; RolledOut that it ended well.
	Settled   bool
	RolledOut bool

	// Bypassed says that nobody admitted it.
	Bypassed bool

	// UnderHold says that it started though it was held, and is rolling out.
	UnderHold bool
}

// LastStart is the last start of a workload, if one is recorded.
func (book *Book) LastStart(m *facts.Member) (Start, bool) {
	last, recorded := book.last[facts.IdentityOf(m)]
	return last, recorded
}

// Started reports whether a start of a template of a workload is recorded.
func (book *Book) Started(m *facts.Member, hash string) bool {
	return book.started[facts.RevisionOf(m, hash)]
}

// readStarts reads the starts from all records.
func (book *Book) readStarts() {
	records := 0
	for _, r := range book.Releases {
		for i := range r.Wanted.Rollouts {
			records += len(r.Wanted.Rollouts[i].Workloads)
		}
	}
	book.last = make(map[facts.Identity]Start, len(book.facts.Sorted))
	book.started = make(map[facts.Revision]bool, records)
	for _, r := range book.Releases {
		for i := range r.Wanted.Rollouts {
			ro := &r.Wanted.Rollouts[i]
			for j := range ro.Workloads {
				book.Note(Rollout{Rollout: ro, Of: r}, &ro.Workloads[j])
			}
		}
	}
}

// Note takes note of the start of a workload, if its record tells of one, and of what became of it since. Whoever changes a record
// has it noted. Where several starts are recorded of one generation, since something bypassed the gate, the last one is that of the
// template that the workload asks for.
func (book *Book) Note(ro Rollout, rec *v1alpha1.RolloutWorkload) {
	if rec.StartReason == "" || !workload.Comparable(rec.TemplateHash, book.facts.Scheme) {
		return
	}
	id := facts.Identity{Key: facts.KeyOf(rec), UID: rec.UID}
	s := startOf(ro, rec)
	book.started[facts.Revision{Identity: id, Hash: s.Hash}] = true
	m := book.facts.Member(id.Key)
	asked := m != nil && m.Template.Hash == s.Hash
	last, known := book.last[id]
	if !known || last.Generation < s.Generation || last.Generation == s.Generation && (asked || last.Hash == s.Hash && !last.At.After(s.At)) {
		book.last[id] = s
	}
}

func startOf(ro Rollout, rec *v1alpha1.RolloutWorkload) Start {
	s := Start{
		Hash:       rec.TemplateHash,
		Version:    drift.Version{Value: ro.Of.Spec.Version, Source: rec.VersionSource},
		Generation: rec.AdmittedGeneration,
		Settled:    rec.State == v1alpha1.WorkloadRolledOut || rec.State == v1alpha1.WorkloadAbandoned,
		RolledOut:  rec.State == v1alpha1.WorkloadRolledOut,
		Bypassed:   rec.StartReason == v1alpha1.StartNotHeld,
		UnderHold:  rec.State == v1alpha1.WorkloadAdmitted && rec.StartReason == v1alpha1.StartNotHeld && rec.HeldSince != nil,
	}
	if ro.AdmittedTime != nil {
		s.At = ro.AdmittedTime.Time
	}
	return s
}
