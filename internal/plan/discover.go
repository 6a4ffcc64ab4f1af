// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"iter"
	"slices"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/drift"
	"github.com/backstay-dr/backstay/internal/workload"
)

// discover finds workloads that are held, or that started, and that no rollout knows of yet.
func (d *decider) discover() {
	if d.mode() == v1alpha1.GateModeDisabled {
		return
	}
	for _, m := range d.sorted {
		if !m.Selected || !m.Driver {
			continue
		}
		switch {
		case d.restored(m):
			d.discoverBypassed(m) // waits for a person
		case d.reverted(m):
			d.discoverBypassed(m) // about to be admitted
		case m.Held():
			d.discoverBypassed(m)
			d.discoverHeld(m)
		case d.startedUnrecorded(m):
			d.discoverStarted(m)
			d.discoverBypassed(m)
		default:
			d.discoverBypassed(m)
		}
	}
}

// startedUnrecorded reports whether a workload that nothing holds started its template, and neither the plan nor a release
// knows of it. What it runs when the plan first sees it is where the plan begins from.
func (d *decider) startedUnrecorded(m *Member) bool {
	let, known := d.lastLetThrough(m)
	switch {
	case known && let.hash == m.Template.Hash:
		return false
	case d.firstSeen(m) && !known:
		rev, exists := m.Revision(m.Template.Hash)
		return exists && !m.Paused && slices.ContainsFunc(d.startedOver(m), func(r workload.Revision) bool { return r.Name == rev.Name })
	default:
		return d.overridden(m) || known && !d.firstSeen(m) && hasStarted(m) && !d.admittedLast(m)
	}
}

// overridden reports whether the record of an override that nobody saw held can be relied on: a gate that was in force wrote
// it, for a workload of this plan. Where none is, whoever may edit a workload writes what they like.
func (d *decider) overridden(m *Member) bool {
	return m.Override != nil && d.gateProven() && !d.firstSeen(m)
}

// gateProven reports whether the plan holds, and was proven to.
func (d *decider) gateProven() bool {
	return d.mode() == v1alpha1.GateModeHold && meta.IsStatusConditionTrue(d.plan.Status.Conditions, v1alpha1.ConditionGated)
}

// firstSeen reports whether the plan has not seen a workload before: what it runs now is where the plan begins from.
func (d *decider) firstSeen(m *Member) bool {
	seen := d.seenBefore(m)
	return seen == nil || seen.TemplateHash == ""
}

// hasStarted reports whether the template that a workload asks for has started: it has, unless a user paused it before.
func hasStarted(m *Member) bool {
	rev, _ := m.Revision(m.Template.Hash)
	return !m.Paused || rev.Replicas > 0
}

// restored reports whether a workload came into being as it is held: nothing but a restore does that. What the backup holds is
// the change that was held, and whoever restores wants the state before it: that is for a person to put back. Where it was
// scaled since, it is Velero's label on a workload that nobody has seen before, or what the plan remembers, that tells.
func (d *decider) restored(m *Member) bool {
	if !m.Held() {
		return false
	}
	if sole, runs := soleRevision(m); runs && sole.Template.Hash == m.Template.Hash {
		return false // it runs: a StatefulSet that is created as it is held starts all the same
	}
	if m.Generation <= 1 {
		return true
	}
	if h := d.heldBefore(m); h != nil && h.Reason == v1alpha1.ReasonRestored {
		return h.TemplateHash == m.Template.Hash
	}
	_, byVelero := m.Labels[velerov1.RestoreNameLabel]
	return byVelero && d.now.Sub(m.Created.Time) < restoreTime && d.neverSeen(m)
}

// restoreTime is for how long after it was created a workload may be one that was just restored. Velero's label stays for good.
const restoreTime = 24 * time.Hour

// neverSeen reports whether neither the plan nor a release knows of a workload.
func (d *decider) neverSeen(m *Member) bool {
	for ro := range d.courses() {
		for i := range ro.Workloads {
			if rec := &ro.Workloads[i]; keyOf(rec) == m.Key && rec.UID == string(m.UID) {
				return false
			}
		}
	}
	return d.plan == nil || d.firstSeen(m)
}

// heldBefore is what the plan's status says of a workload that was held when it was written; nil where it says nothing.
func (d *decider) heldBefore(m *Member) *v1alpha1.HeldWorkload {
	if d.plan == nil {
		return nil
	}
	for i := range d.plan.Status.Held {
		if h := &d.plan.Status.Held[i]; h.Group == m.Group && h.Kind == m.Kind && h.Name == m.Name {
			return h
		}
	}
	return nil
}

// discoverBypassed records the revisions that run and that nobody admitted, but for the one that the workload asks for: a
// ReplicaSet that it adopted, for example, or one whose template was changed. The newest may be an override that was not seen
// before the workload was held again.
func (d *decider) discoverBypassed(m *Member) {
	for i, rev := range d.bypassed(m) {
		if rev.Template.Hash == m.Template.Hash {
			continue
		}
		cause, why := d.causeUnheld(), v1alpha1.StartNotHeld
		if i == 0 && m.Held() && d.overridden(m) {
			cause, why = v1alpha1.CauseHeld, v1alpha1.StartOverridden
		}
		v := d.artifacts.Resolve(rev.Template, nil)
		ro := d.openRollout(d.ensureRelease(v), cause)
		rec := d.newRecord(m, v)
		rec.TemplateHash = rev.Template.Hash
		d.recordStart(ro, &rec, m, why)
		rec.AdmittedGeneration = max(1, m.Generation-1)
		addRecord(ro.Rollout, rec)
		d.recordsChanged()
		if why == v1alpha1.StartNotHeld {
			d.confirmEscape(m, rev.Name)
		}
	}
}

// causeUnheld is the cause of a rollout that nothing held: where the gate was to hold it, and was not known to be out of force,
// it escaped.
func (d *decider) causeUnheld() v1alpha1.RolloutCause {
	if d.mode() != v1alpha1.GateModeHold {
		return v1alpha1.CauseObserved
	}
	// Unknown it is where there was no workload to probe the gate with: the policies are installed.
	// So are they where the probe was refused, for the workload that was probed, for example.
	gated := meta.FindStatusCondition(d.plan.Status.Conditions, v1alpha1.ConditionGated)
	if gated == nil || gated.Status == metav1.ConditionFalse && gated.Reason != v1alpha1.ReasonProbeFailed {
		return v1alpha1.CauseObserved
	}
	return v1alpha1.CauseEscaped
}

// confirmEscape asks for a look at the API server before a start that nobody admitted is recorded: the caches of workloads and of
// revisions may differ in age.
func (d *decider) confirmEscape(m *Member, revision string) {
	d.out.Escapes = append(d.out.Escapes, Escape{Workload: m.View, Revision: revision})
}

func (d *decider) discoverHeld(m *Member) {
	if _, rec := d.heldRecord(m); rec != nil {
		return
	}
	v := d.versionOf(m)
	r := d.ensureRelease(v)
	ro, ok := d.latecomer(r, m)
	if !ok {
		ro, ok = joinable(r, m)
	}
	if !ok {
		ro = d.openRollout(r, v1alpha1.CauseHeld)
	}
	d.joinAhead(ro)
	rec := d.newRecord(m, v)
	rec.State, rec.HeldSince, rec.WaitingSince = v1alpha1.WorkloadHeld, &d.now, d.waitingSince(m)
	addRecord(ro.Rollout, rec)
}

// waitingSince is since when a workload is held, whatever it was held with before: another version that comes meanwhile does
// not put the deadline off. The plan remembers that, of this workload if nothing of it started since.
func (d *decider) waitingSince(m *Member) *metav1.Time {
	h := d.heldBefore(m)
	if h == nil || h.Since == nil || h.Reason == v1alpha1.ReasonRestored ||
		m.Override != nil || d.seenBefore(m) == nil || d.startedAfter(m, h.Since.Time) {
		return &d.now
	}
	return h.Since
}

// startedAfter reports whether anything of a workload is known to have started at a time or after it.
func (d *decider) startedAfter(m *Member, at time.Time) bool {
	if last, recorded := d.history().last[identityOf(m)]; recorded && !last.at.Before(at) {
		return true
	}
	return slices.ContainsFunc(m.Revisions, func(rev workload.Revision) bool { return !rev.Created.Time.Before(at) })
}

// discoverStarted records that a new template runs which nobody admitted.
func (d *decider) discoverStarted(m *Member) {
	cause, why := d.causeUnheld(), v1alpha1.StartNotHeld
	if d.overridden(m) {
		cause, why = v1alpha1.CauseHeld, v1alpha1.StartOverridden
	}
	v := d.versionOf(m)
	r := d.ensureRelease(v)
	ro, ok := joinable(r, m)
	if !ok || ahead(ro.Rollout) && !d.serves(ro) || cause == v1alpha1.CauseEscaped && d.backupBegun(ro) {
		ro = d.openRollout(r, cause)
	}
	d.joinAhead(ro)
	if cause == v1alpha1.CauseEscaped {
		ro.Cause = cause
	}
	rec := d.newRecord(m, v)
	d.recordStart(ro, &rec, m, why)
	addRecord(ro.Rollout, rec)
	d.recordsChanged()
	if why == v1alpha1.StartNotHeld {
		d.confirmEscape(m, "")
	}
}

// backupBegun reports whether the backup of a rollout began already: what escapes now is backed up by another one.
func (d *decider) backupBegun(ro course) bool {
	if ro.Backup == nil {
		return false
	}
	b := d.in.Backups[ro.Backup.Name]
	return b != nil && begun(b) || over(ro.Backup.Phase)
}

func (d *decider) newRecord(m *Member, v drift.Version) v1alpha1.RolloutWorkload {
	rec := v1alpha1.RolloutWorkload{
		Group: m.Group, Kind: m.Kind, Name: m.Name, UID: string(m.UID),
		TemplateHash: m.Template.Hash, VersionSource: v.Source,
		PreviousRevision: d.previousRevision(m),
	}
	if _, known := d.lastLetThrough(m); known || m.Paused {
		rec.PreviousVersion = d.previous(m).Value
	}
	return rec
}

// addRecord puts a record into a rollout, in place of an older one of the same workload. Where there is no more room,
// one that ended without a start makes place.
func addRecord(ro *v1alpha1.Rollout, rec v1alpha1.RolloutWorkload) {
	ro.Workloads = slices.DeleteFunc(ro.Workloads, func(old v1alpha1.RolloutWorkload) bool { return keyOf(&old) == keyOf(&rec) })
	for len(ro.Workloads) >= v1alpha1.MaxWorkloads {
		i := max(0, slices.IndexFunc(ro.Workloads, func(old v1alpha1.RolloutWorkload) bool { return ended(&old) }))
		ro.Workloads = slices.Delete(ro.Workloads, i, i+1)
	}
	ro.Workloads = append(ro.Workloads, rec)
	slices.SortFunc(ro.Workloads, compareRecords)
}

// ended reports whether nothing more happens to a workload in its rollout.
func ended(rec *v1alpha1.RolloutWorkload) bool {
	return rec.State != v1alpha1.WorkloadHeld && rec.State != v1alpha1.WorkloadAdmitted
}

// joinable is the rollout of a release that a workload belongs to: its newest, while that is open and the workload has
// not started in it. A further change of a workload that started is a rollout of its own.
func joinable(r *release, m *Member) (course, bool) {
	if len(r.status.Rollouts) == 0 || !open(&r.status.Rollouts[0]) {
		return course{}, false
	}
	ro := course{&r.status.Rollouts[0], r}
	rec := recordOf(ro.Rollout, m)
	return ro, rec == nil || rec.StartReason == ""
}

// applyTime is how long one apply may take, from the first of its workloads that is admitted to the last that arrives.
const applyTime = 10 * time.Second

// latecomer reopens the rollout that a workload belongs to, where that rolled out a moment ago: what belongs to one apply
// belongs to one rollout, though its first workloads were quick. It must not have been part of it, and the backup must be one
// that the rule may rely on.
func (d *decider) latecomer(r *release, m *Member) (course, bool) {
	if len(r.status.Rollouts) == 0 {
		return course{}, false
	}
	ro := course{&r.status.Rollouts[0], r}
	if ro.Outcome != v1alpha1.OutcomeRolledOut || ro.AdmittedTime == nil || d.in.Now.Sub(ro.AdmittedTime.Time) > applyTime ||
		startedUnheld(ro.Rollout) || d.isIn(ro, m) {
		return course{}, false
	}
	asIfHeld := &v1alpha1.RolloutWorkload{Group: m.Group, Kind: m.Kind, Name: m.Name, TemplateHash: m.Template.Hash}
	if _, blocked := d.blocked(ro, asIfHeld); blocked {
		return course{}, false
	}
	ro.Outcome, ro.CompletionTime = "", nil
	return ro, true
}

// isIn reports whether a rollout has a record of a workload, in whatever state.
func (d *decider) isIn(ro course, m *Member) bool {
	return slices.ContainsFunc(ro.Workloads, func(rec v1alpha1.RolloutWorkload) bool { return keyOf(&rec) == m.Key })
}

// joinAhead notes what runs when the first workload comes to a rollout that was announced before.
func (d *decider) joinAhead(ro course) {
	if ahead(ro.Rollout) {
		ro.PreviousVersion = d.previousVersions()
	}
}

// recordOf is the record of a member in a rollout, if it still stands for it.
func recordOf(ro *v1alpha1.Rollout, m *Member) *v1alpha1.RolloutWorkload {
	for i := range ro.Workloads {
		rec := &ro.Workloads[i]
		if keyOf(rec) == m.Key && rec.UID == string(m.UID) && (rec.State == v1alpha1.WorkloadHeld || rec.StartReason != "") {
			return rec
		}
	}
	return nil
}

// heldRecord finds the record of a held member in an open rollout.
func (d *decider) heldRecord(m *Member) (course, *v1alpha1.RolloutWorkload) {
	for ro, rec := range d.heldRecords(m) {
		if rec.TemplateHash == m.Template.Hash {
			return ro, rec
		}
	}
	return course{}, nil
}

// heldRecords are the records of open rollouts that say that a member is held, whatever template it was held with.
func (d *decider) heldRecords(m *Member) iter.Seq2[course, *v1alpha1.RolloutWorkload] {
	return func(yield func(course, *v1alpha1.RolloutWorkload) bool) {
		for ro := range d.courses() {
			if !open(ro.Rollout) {
				continue
			}
			if rec := recordOf(ro.Rollout, m); rec != nil && rec.State == v1alpha1.WorkloadHeld && !yield(ro, rec) {
				return
			}
		}
	}
}
