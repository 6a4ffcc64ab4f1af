// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/workload"
)

// remember reads what the plan's status says of its workloads, and of those that left it, in the scheme by which the members'
// hashes are computed.
func (d *decider) remember() {
	d.seen = map[identity]*v1alpha1.PlanWorkload{}
	if d.plan == nil {
		d.scheme = workload.Scheme(nil)
		return
	}
	d.scheme = workload.Scheme(d.plan.Spec.Gate.RestartAnnotations)
	for _, w := range slices.Concat(d.plan.Status.Departed, d.plan.Status.Workloads) {
		key := keyOfSeen(&w)
		m := d.members[key]
		if m != nil && adoptedFrom(m, &w) {
			w.UID = string(m.UID)
		}
		if id := (identity{key, w.UID}); d.seen[id] == nil || w.TemplateHash != "" {
			d.seen[id] = d.inScheme(w, m)
		}
	}
}

func keyOfSeen(w *v1alpha1.PlanWorkload) workload.Key {
	return workload.Key{Group: w.Group, Kind: w.Kind, Name: w.Name}
}

// adoptedFrom reports whether a workload goes on with the pods of one of its name that was deleted without them: it adopted the
// ReplicaSet that ran. To the plan it is the same, or else its creation, which is not held, would roll over those pods unseen.
func adoptedFrom(m *Member, w *v1alpha1.PlanWorkload) bool {
	return w.Revision != "" && slices.ContainsFunc(m.Revisions, func(rev workload.Revision) bool { return rev.Name == w.Revision })
}

// inScheme translates what was remembered by hashes of another scheme: the ReplicaSets that ran tell their templates by their
// names. What cannot be compared is not known, and is never taken for a difference. Where the ReplicaSet that ran is gone and
// another one runs, that one started since.
func (d *decider) inScheme(w v1alpha1.PlanWorkload, m *Member) *v1alpha1.PlanWorkload {
	if w.TemplateHash == "" || workload.Comparable(w.TemplateHash, d.scheme) {
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

// seenBefore is what the plan remembers of a member; nil where it never saw it.
func (d *decider) seenBefore(m *Member) *v1alpha1.PlanWorkload { return d.seen[identityOf(m)] }

// explained reports whether it is known how a template of a workload came to run: a release or the plan tells it, or the
// operator admitted it, for this plan or another.
func (d *decider) explained(m *Member, hash string) bool {
	return d.remembered(m, hash) || d.credible(admission(m, hash))
}

// remembered reports whether a release or the plan tells that a template of a workload was admitted.
func (d *decider) remembered(m *Member, hash string) bool {
	seen := d.seenBefore(m)
	return d.history().started[revisionOf(m, hash)] || seen != nil && seen.TemplateHash == hash
}

// ranBefore reports whether the plan remembers that a template of a workload ran, though not why: when the plan first saw the
// workload, for example. That is no escape, but when it started is not known.
func (d *decider) ranBefore(m *Member, hash string) bool {
	seen := d.seenBefore(m)
	return seen != nil && slices.ContainsFunc(seen.OtherRevisions, func(r v1alpha1.PlanRevision) bool { return r.TemplateHash == hash })
}

// admission is how the operator admitted a template of a workload, as the workload or its ReplicaSet tells; nil where it did
// not.
func admission(m *Member, hash string) *workload.Admission {
	if m.Admitted.Of(hash) {
		return m.Admitted
	}
	for i := range m.Revisions {
		if rev := &m.Revisions[i]; rev.Template.Hash == hash && rev.Admitted.Of(hash) {
			return rev.Admitted
		}
	}
	return nil
}

// admittedLast reports whether the template that a workload asks for is the one that was last admitted, and nothing that is
// recorded started after that: by another plan, or by this one whose record is gone. An admission from before says nothing of a
// template that came back by another way.
func (d *decider) admittedLast(m *Member) bool {
	if !m.Admitted.Of(m.Template.Hash) || !d.credible(m.Admitted) {
		return false
	}
	last, recorded := d.history().last[identityOf(m)]
	return !recorded || m.Admitted.Generation+1 >= last.generation
}

// credible reports whether an admission explains that something runs: this plan's own does, whatever its reason, and another
// plan's where a backup allowed it. A second plan with a short deadline is no way around the first.
func (d *decider) credible(a *workload.Admission) bool {
	return a != nil && (a.Plan == d.in.Name || a.Reason == string(v1alpha1.StartBackupCompleted))
}

// admittedIn is how the operator admitted a workload in a rollout, if it did.
func (d *decider) admittedIn(ro course, rec *v1alpha1.RolloutWorkload, m *Member) *workload.Admission {
	a := admission(m, rec.TemplateHash)
	if a == nil || a.Plan != d.in.Name || a.Release != ro.of.Name || a.Rollout != ro.Number {
		return nil
	}
	return a
}

// bypassed lists the revisions of a workload that have pods and that nobody is known to have admitted, the newest first. Of
// what ran when the plan first saw the workload nothing is known, but for what it started over other pods.
func (d *decider) bypassed(m *Member) []workload.Revision {
	revisions := m.Revisions
	if d.firstSeen(m) {
		if _, known := d.lastLetThrough(m); known {
			return nil
		}
		revisions = d.startedOver(m)
	}
	found := slices.DeleteFunc(slices.Clone(revisions), func(rev workload.Revision) bool {
		return rev.Pods == 0 || d.explained(m, rev.Template.Hash) || d.ranBefore(m, rev.Template.Hash) || d.reportedSince(m, &rev)
	})
	slices.SortFunc(found, func(a, b workload.Revision) int { return b.Created.Compare(a.Created.Time) })
	return slices.CompactFunc(found, func(a, b workload.Revision) bool { return a.Template.Hash == b.Template.Hash })
}

// startedOver lists the revisions that a workload started over pods which were there before it: it adopted ReplicaSets that are
// older than itself, of another template. One that is created again after `kubectl delete --cascade=orphan` does that, and
// creation is not held. The ReplicaSets tell it where the plan remembers nothing of the workload that was deleted: of another name,
// for example. Where the workload is older than the plan, the plan begins from it. A restore creates all ReplicaSets, in the second of their Deployment
// or before. Where none is older, one that came in the same second is, unless it is that of the template that is asked for.
func (d *decider) startedOver(m *Member) []workload.Revision {
	if d.plan == nil || m.Created.Before(&d.plan.CreationTimestamp) {
		return nil
	}
	_, byVelero := m.Labels[velerov1.RestoreNameLabel]
	older := func(rev workload.Revision) bool {
		return rev.Created.Before(&m.Created) || byVelero && rev.Created.Equal(&m.Created)
	}
	if !slices.ContainsFunc(m.Revisions, older) {
		older = func(rev workload.Revision) bool {
			return rev.Created.Equal(&m.Created) && rev.Template.Hash != m.Template.Hash
		}
	}
	adopted := map[string]bool{}
	for _, rev := range m.Revisions {
		if older(rev) {
			adopted[rev.Template.Hash] = true
		}
	}
	if len(adopted) == 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(m.Revisions), func(rev workload.Revision) bool {
		return adopted[rev.Template.Hash] || d.explained(m, rev.Template.Hash)
	})
}

// reportedSince reports whether so many escapes of the version of a revision, of that workload, were recorded after the revision was
// created that its own may have been forgotten. A release remembers a bounded number of rollouts: without this, somebody who lets a
// workload adopt more ReplicaSets than that would have them recorded, and backed up, in turn and for ever.
func (d *decider) reportedSince(m *Member, rev *workload.Revision) bool {
	version, reported := d.artifacts.Resolve(rev.Template, nil).Value, 0
	for ro := range d.courses() {
		if ro.of.Spec.Version != version || ro.AdmittedTime == nil || ro.AdmittedTime.Add(startMargin).Before(rev.Created.Time) {
			continue
		}
		if slices.ContainsFunc(ro.Workloads, func(rec v1alpha1.RolloutWorkload) bool {
			return keyOf(&rec) == m.Key && rec.UID == string(m.UID) && rec.StartReason == v1alpha1.StartNotHeld
		}) {
			reported++
		}
	}
	return reported >= maxRollouts-1
}
