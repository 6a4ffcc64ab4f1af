// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package ledger brings the records of rollouts forward: it opens them, joins workloads to them, tracks what becomes of these, and
// closes them; and it keeps the account of their backups. It is the only package that changes a record, and it does nothing else:
// what is to be done because of a record it returns.
package ledger

import (
	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/running"
	"github.com/backstay-dr/backstay/internal/workload"
)

// Tracked is what follows from what the workloads of open rollouts show.
type Tracked struct {
	// Remark are workloads that the plan holds, and whose mark somebody removed.
	Remark []workload.View

	// Escapes are starts under a hold.
	Escapes []Escape
}

// Escape is a start that nobody admitted and that is recorded for the first time. Whoever writes the record looks at the API server
// first: the caches of workloads and of revisions may differ in age.
type Escape struct {
	Workload workload.View

	// Revision is the name of the ReplicaSet that runs; "" where the workload itself asks for it.
	Revision string
}

// Track brings the records of open rollouts forward to what the workloads show. What the operator itself did is found
// out in the same way, so that an operator that was killed in between needs no other road.
func Track(f *facts.Facts, book *records.Book) Tracked {
	out := Tracked{}
	for ro := range book.Rollouts() {
		if !records.IsOpen(ro.Rollout) {
			continue
		}
		for i := range ro.Workloads {
			if rec := &ro.Workloads[i]; !records.Ended(rec) {
				trackWorkload(f, book, ro, rec, &out)
				book.Note(ro, rec)
			}
		}
	}
	return out
}

func trackWorkload(f *facts.Facts, book *records.Book, ro records.Rollout, rec *v1alpha1.RolloutWorkload, out *Tracked) {
	m := f.MemberOf(rec)
	switch {
	case m == nil || string(m.UID) != rec.UID:
		rec.State = v1alpha1.WorkloadAbandoned
	case !m.Driver:
		trackLeft(f, book, ro, rec, m)
	case rec.State == v1alpha1.WorkloadAdmitted:
		adoptScheme(f, rec, m)
		trackAdmitted(rec, m)
	case m.Held():
		trackHeld(f, book, ro, rec, m, out)
	case unmarked(f, ro, rec, m):
		out.Remark = append(out.Remark, m.View)
	default:
		trackUnheld(f, book, ro, rec, m, out)
	}
}

// trackLeft: another plan moves the workload now, or none. Nobody follows it any further, but a start that was allowed
// is recorded.
func trackLeft(f *facts.Facts, book *records.Book, ro records.Rollout, rec *v1alpha1.RolloutWorkload, m *facts.Member) {
	if rec.State == v1alpha1.WorkloadHeld && !m.Held() && m.Template.Hash == rec.TemplateHash {
		if why := whyStarted(f, ro, rec, m); why != v1alpha1.StartNotHeld {
			recordStart(f, book, ro, rec, m, why)
		}
	}
	if !records.Ended(rec) {
		rec.State = v1alpha1.WorkloadAbandoned
	}
}

// trackHeld: another edit of a held template belongs to the same rollout, as long as the version is the same.
func trackHeld(f *facts.Facts, book *records.Book, ro records.Rollout, rec *v1alpha1.RolloutWorkload, m *facts.Member, out *Tracked) {
	switch {
	case m.Template.Hash == rec.TemplateHash:
		if startedAfter(book, m, facts.TimeOf(facts.WaitingSince(rec)), rec.TemplateHash) {
			rec.WaitingSince = &f.At // something else started meanwhile, which ended the hold: the deadline begins anew
		}
		trackBypassed(f, book, ro, rec, m, out)
		return
	case running.Reverted(f, book, m):
		return // a revert is recorded once it was admitted
	case rec.StartReason != "":
		rec.State = v1alpha1.WorkloadSuperseded // its template started under the hold
		return
	case m.Override != nil, running.AdmittedIn(f, ro, rec, m) != nil:
		// It was admitted, and held again with another template before that was recorded.
		recordStart(f, book, ro, rec, m, whyStarted(f, ro, rec, m))
		rec.State, rec.AdmittedGeneration = v1alpha1.WorkloadSuperseded, max(1, m.Generation-1)
		return
	}
	v := f.VersionOf(m)
	if v.Value != ro.Of.Spec.Version {
		rec.State = v1alpha1.WorkloadSuperseded
		return
	}
	rec.TemplateHash, rec.VersionSource = m.Template.Hash, v.Source
}

// trackBypassed records that the template which a workload is held with runs all the same. The Deployment controller scales a
// paused Deployment that has no pods by the ReplicaSet of its template, and adopts any ReplicaSet that its selector matches;
// no admission policy sees either for what it is. Where nothing else runs there is nothing left to hold; else the rest of the
// rollout stays held until its backup is Completed.
func trackBypassed(f *facts.Facts, book *records.Book, ro records.Rollout, rec *v1alpha1.RolloutWorkload, m *facts.Member, out *Tracked) {
	rev, exists := m.Revision(rec.TemplateHash)
	if !exists || rec.StartReason != "" || rev.Pods == 0 || running.AdmittedIn(f, ro, rec, m) != nil {
		return
	}
	admitted, known := running.LastAdmitted(f, book, m)
	switch {
	case known && admitted.Settled && admitted.Hash != rec.TemplateHash && !facts.Runs(m, admitted.Hash):
		recordStart(f, book, ro, rec, m, v1alpha1.StartNotHeld)
	case !f.FirstSeen(m) && !running.Remembered(f, book, m, rec.TemplateHash) && !f.RanBefore(m, rec.TemplateHash),
		known && admitted.Replaced && admitted.Hash != rec.TemplateHash:
		recordStart(f, book, ro, rec, m, v1alpha1.StartNotHeld)
		rec.State = v1alpha1.WorkloadHeld
	default:
		return // some of it was left when it was asked for again
	}
	out.Escapes = append(out.Escapes, Escape{Workload: m.View, Revision: rev.Name})
}

// adoptScheme brings the hash of a record that cannot be compared into the scheme of today: it is taken for that of the template that
// the workload asks for.
func adoptScheme(f *facts.Facts, rec *v1alpha1.RolloutWorkload, m *facts.Member) {
	if !m.Held() && !workload.Comparable(rec.TemplateHash, f.Scheme) {
		rec.TemplateHash = m.Template.Hash
	}
}

// unmarked reports whether somebody removed the mark of a hold and nothing else: the pause is the gate's, and no user's.
func unmarked(f *facts.Facts, ro records.Rollout, rec *v1alpha1.RolloutWorkload, m *facts.Member) bool {
	return m.Paused && m.Override == nil && running.AdmittedIn(f, ro, rec, m) == nil
}

// trackUnheld: a workload that was held is not any more.
func trackUnheld(f *facts.Facts, book *records.Book, ro records.Rollout, rec *v1alpha1.RolloutWorkload, m *facts.Member, out *Tracked) {
	why := whyStarted(f, ro, rec, m)
	if why != v1alpha1.StartNotHeld {
		adoptScheme(f, rec, m)
	}
	admitted, known := running.LastAdmitted(f, book, m)
	running := known && admitted.Hash == m.Template.Hash && rec.StartReason == ""
	if m.Template.Hash == rec.TemplateHash {
		if why != v1alpha1.StartNotHeld || !running {
			recordStart(f, book, ro, rec, m, why)
			if why == v1alpha1.StartNotHeld && rec.AdmittedGeneration == m.Generation {
				out.Escapes = append(out.Escapes, Escape{Workload: m.View})
			}
			return
		}
	}
	rec.State = v1alpha1.WorkloadSuperseded
	if running {
		rec.State = v1alpha1.WorkloadReverted
	}
}
