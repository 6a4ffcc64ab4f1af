// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/drift"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/rule"
	"github.com/backstay-dr/backstay/internal/running"
	"github.com/backstay-dr/backstay/internal/workload"
)

// Discover finds workloads that are held, or that started, and that no rollout knows of yet.
func Discover(f *facts.Facts, book *records.Book) []Escape {
	if f.Mode() == v1alpha1.GateModeDisabled {
		return nil
	}
	var out []Escape
	for _, m := range f.Sorted {
		if !m.Selected || !m.Driver {
			continue
		}
		waits := m.Held() && !running.Restored(f, book, m) && !running.Reverted(f, book, m) // and not for a person, or for its admission
		if !m.Held() && startedUnrecorded(f, book, m) {
			out = append(out, discoverStarted(f, book, m)...)
		}
		out = append(out, discoverBypassed(f, book, m)...)
		if waits {
			discoverHeld(f, book, m)
		}
	}
	return out
}

// startedUnrecorded reports whether a workload that nothing holds started its template, and neither the plan nor a release
// knows of it. What it runs when the plan first sees it is where the plan begins from.
func startedUnrecorded(f *facts.Facts, book *records.Book, m *facts.Member) bool {
	admitted, known := running.LastAdmitted(f, book, m)
	switch {
	case known && admitted.Hash == m.Template.Hash:
		return false
	case f.FirstSeen(m) && !known:
		rev, exists := m.Revision(m.Template.Hash)
		return exists && !m.Paused && slices.ContainsFunc(running.StartedOver(f, book, m), func(r workload.Revision) bool { return r.Name == rev.Name })
	default:
		return f.Overridden(m) || known && !f.FirstSeen(m) && facts.HasStarted(m) && !running.AdmittedLast(f, book, m)
	}
}

// discoverBypassed records the revisions that run and that nobody admitted, but for the one that the workload asks for: a
// ReplicaSet that it adopted, for example, or one whose template was changed. The newest may be an override that was not seen
// before the workload was held again.
func discoverBypassed(f *facts.Facts, book *records.Book, m *facts.Member) []Escape {
	var out []Escape
	for i, rev := range running.Bypassed(f, book, m) {
		if rev.Template.Hash == m.Template.Hash {
			continue
		}
		cause, why := f.CauseUnheld(), v1alpha1.StartNotHeld
		if i == 0 && m.Held() && f.Overridden(m) {
			cause, why = v1alpha1.CauseHeld, v1alpha1.StartOverridden
		}
		v := f.Artifacts.Resolve(rev.Template, nil)
		ro := openRollout(f, book, ensureRelease(f, book, v), cause)
		rec := newRecord(f, book, m, v)
		rec.TemplateHash = rev.Template.Hash
		recordStart(f, book, ro, &rec, m, why)
		rec.AdmittedGeneration = max(1, m.Generation-1)
		book.Put(ro, rec)
		if why == v1alpha1.StartNotHeld {
			out = append(out, Escape{Workload: m.View, Revision: rev.Name})
		}
	}
	return out
}

// discoverHeld records that a workload is held.
func discoverHeld(f *facts.Facts, book *records.Book, m *facts.Member) {
	if _, rec := book.HeldRecord(m); rec != nil {
		return
	}
	v := f.VersionOf(m)
	r := ensureRelease(f, book, v)
	ro, ok := latecomer(f, book, r, m)
	if !ok {
		ro, ok = joinable(r, m)
	}
	if !ok {
		ro = openRollout(f, book, r, v1alpha1.CauseHeld)
	}
	joinAhead(f, book, ro)
	rec := newRecord(f, book, m, v)
	rec.State, rec.HeldSince, rec.WaitingSince = v1alpha1.WorkloadHeld, &f.At, sinceWhen(f, book, m)
	book.Put(ro, rec)
}

// sinceWhen is since when a workload is held, whatever it was held with before: another version that comes meanwhile does
// not put the deadline off. The plan remembers that, of this workload if nothing of it started since.
func sinceWhen(f *facts.Facts, book *records.Book, m *facts.Member) *metav1.Time {
	h := f.HeldBefore(m)
	if h == nil || h.Since == nil || h.Reason == v1alpha1.ReasonRestored ||
		m.Override != nil || f.SeenBefore(m) == nil || startedAfter(book, m, h.Since.Time, "") {
		return &f.At
	}
	return h.Since
}

// startedAfter reports whether anything of a workload but for one template is known to have started at a time or after it.
func startedAfter(book *records.Book, m *facts.Member, at time.Time, but string) bool {
	if last, recorded := book.LastStart(m); recorded && last.Hash != but && !last.At.Before(at) {
		return true
	}
	return slices.ContainsFunc(m.Revisions, func(rev workload.Revision) bool {
		return rev.Template.Hash != but && !rev.Created.Time.Before(at)
	})
}

// discoverStarted records that a new template runs which nobody admitted.
func discoverStarted(f *facts.Facts, book *records.Book, m *facts.Member) []Escape {
	cause, why := f.CauseUnheld(), v1alpha1.StartNotHeld
	if f.Overridden(m) {
		cause, why = v1alpha1.CauseHeld, v1alpha1.StartOverridden
	}
	v := f.VersionOf(m)
	r := ensureRelease(f, book, v)
	ro, ok := joinable(r, m)
	if !ok || records.IsAhead(ro.Rollout) && !rule.Serves(f, book, ro) || cause == v1alpha1.CauseEscaped && backupBegun(f, ro) {
		ro = openRollout(f, book, r, cause)
	}
	joinAhead(f, book, ro)
	if cause == v1alpha1.CauseEscaped {
		ro.Cause = cause
	}
	rec := newRecord(f, book, m, v)
	recordStart(f, book, ro, &rec, m, why)
	book.Put(ro, rec)
	if why != v1alpha1.StartNotHeld {
		return nil
	}
	return []Escape{{Workload: m.View}}
}

// newRecord begins the record of a workload in a rollout.
func newRecord(f *facts.Facts, book *records.Book, m *facts.Member, v drift.Version) v1alpha1.RolloutWorkload {
	rec := v1alpha1.RolloutWorkload{
		Group: m.Group, Kind: m.Kind, Name: m.Name, UID: string(m.UID),
		TemplateHash: m.Template.Hash, VersionSource: v.Source,
		PreviousRevision: running.PreviousRevision(f, book, m),
	}
	if _, known := running.LastAdmitted(f, book, m); known || m.Paused {
		rec.PreviousVersion = running.Previous(f, book, m).Value
	}
	return rec
}
