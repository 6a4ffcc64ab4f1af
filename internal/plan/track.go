// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/printable"
	"github.com/backstay-dr/backstay/internal/workload"
)

// track brings the records of open rollouts forward to what the workloads show. What the operator itself did is found
// out in the same way, so that an operator that was killed in between needs no other road.
func (d *decider) track() {
	tracked := false
	for ro := range d.courses() {
		if !open(ro.Rollout) {
			continue
		}
		for i := range ro.Workloads {
			if rec := &ro.Workloads[i]; !ended(rec) {
				d.trackWorkload(ro, rec)
				tracked = true
			}
		}
	}
	if tracked {
		d.recordsChanged()
	}
}

func (d *decider) trackWorkload(ro course, rec *v1alpha1.RolloutWorkload) {
	m := d.members[keyOf(rec)]
	switch {
	case m == nil || string(m.UID) != rec.UID:
		rec.State = v1alpha1.WorkloadAbandoned
	case !m.Driver:
		d.trackLeft(ro, rec, m)
	case rec.State == v1alpha1.WorkloadAdmitted:
		d.adoptScheme(rec, m)
		trackAdmitted(rec, m)
	case m.Held():
		d.trackHeld(ro, rec, m)
	case d.unmarked(ro, rec, m):
		d.out.Remark = append(d.out.Remark, m.View)
	default:
		d.trackUnheld(ro, rec, m)
	}
}

// trackLeft: another plan moves the workload now, or none. Nobody follows it any further, but a start that was allowed
// is recorded.
func (d *decider) trackLeft(ro course, rec *v1alpha1.RolloutWorkload, m *Member) {
	if rec.State == v1alpha1.WorkloadHeld && !m.Held() && m.Template.Hash == rec.TemplateHash {
		if why := d.whyStarted(ro, rec, m); why != v1alpha1.StartNotHeld {
			d.recordStart(ro, rec, m, why)
		}
	}
	if !ended(rec) {
		rec.State = v1alpha1.WorkloadAbandoned
	}
}

// trackHeld: another edit of a held template belongs to the same rollout, as long as the version is the same.
func (d *decider) trackHeld(ro course, rec *v1alpha1.RolloutWorkload, m *Member) {
	switch {
	case m.Template.Hash == rec.TemplateHash:
		d.trackBypassed(ro, rec, m)
		return
	case d.reverted(m):
		return // a revert is recorded once it was admitted
	case rec.StartReason != "":
		rec.State = v1alpha1.WorkloadSuperseded // its template started under the hold
		return
	case m.Override != nil, d.admittedIn(ro, rec, m) != nil:
		// It was admitted, and held again with another template before that was recorded.
		d.recordStart(ro, rec, m, d.whyStarted(ro, rec, m))
		rec.State, rec.AdmittedGeneration = v1alpha1.WorkloadSuperseded, max(1, m.Generation-1)
		return
	}
	v := d.versionOf(m)
	if v.Value != ro.of.Spec.Version {
		rec.State = v1alpha1.WorkloadSuperseded
		return
	}
	rec.TemplateHash, rec.VersionSource = m.Template.Hash, v.Source
}

// trackBypassed records that the template which a workload is held with runs all the same. The Deployment controller scales a
// paused Deployment that has no pods by the ReplicaSet of its template, and adopts any ReplicaSet that its selector matches;
// no admission policy sees either for what it is. Where nothing else runs there is nothing left to hold; else the rest of the
// rollout stays held until its backup is Completed.
func (d *decider) trackBypassed(ro course, rec *v1alpha1.RolloutWorkload, m *Member) {
	rev, exists := m.Revision(rec.TemplateHash)
	if !exists || rec.StartReason != "" || rev.Pods == 0 || d.admittedIn(ro, rec, m) != nil {
		return
	}
	let, known := d.lastLetThrough(m)
	switch {
	case known && let.settled && let.hash != rec.TemplateHash && !runs(m, let.hash):
		d.recordStart(ro, rec, m, v1alpha1.StartNotHeld)
	case !d.firstSeen(m) && !d.remembered(m, rec.TemplateHash) && !d.ranBefore(m, rec.TemplateHash), known && let.replaced && let.hash != rec.TemplateHash:
		d.recordStart(ro, rec, m, v1alpha1.StartNotHeld)
		rec.State = v1alpha1.WorkloadHeld
	default:
		return // some of it was left when it was asked for again
	}
	d.confirmEscape(m, rev.Name)
}

// adoptScheme brings the hash of a record that cannot be compared into the scheme of today: it is taken for that of the template that
// the workload asks for.
func (d *decider) adoptScheme(rec *v1alpha1.RolloutWorkload, m *Member) {
	if !m.Held() && !workload.Comparable(rec.TemplateHash, d.scheme) {
		rec.TemplateHash = m.Template.Hash
	}
}

// unmarked reports whether somebody removed the mark of a hold and nothing else: the pause is the gate's, and no user's.
func (d *decider) unmarked(ro course, rec *v1alpha1.RolloutWorkload, m *Member) bool {
	return m.Paused && m.Override == nil && d.admittedIn(ro, rec, m) == nil
}

// trackUnheld: a workload that was held is not any more.
func (d *decider) trackUnheld(ro course, rec *v1alpha1.RolloutWorkload, m *Member) {
	why := d.whyStarted(ro, rec, m)
	if why != v1alpha1.StartNotHeld {
		d.adoptScheme(rec, m)
	}
	let, known := d.lastLetThrough(m)
	running := known && let.hash == m.Template.Hash && rec.StartReason == ""
	if m.Template.Hash == rec.TemplateHash {
		if why != v1alpha1.StartNotHeld || !running {
			d.recordStart(ro, rec, m, why)
			if why == v1alpha1.StartNotHeld && rec.AdmittedGeneration == m.Generation {
				d.confirmEscape(m, "")
			}
			return
		}
	}
	rec.State = v1alpha1.WorkloadSuperseded
	if running {
		rec.State = v1alpha1.WorkloadReverted
	}
}

// trackAdmitted: a held change of a workload that is still rolling out freezes it, and supersedes it only when that
// change starts.
func trackAdmitted(rec *v1alpha1.RolloutWorkload, m *Member) {
	switch {
	case m.Generation < rec.AdmittedGeneration || m.Held():
	case m.Template.Hash != rec.TemplateHash:
		if !m.Paused {
			rec.State = v1alpha1.WorkloadSuperseded
		}
	case m.RolledOut:
		rec.State = v1alpha1.WorkloadRolledOut
	}
}

// recordStart records that the new revision of a workload started, and that it rolled out where it did so already:
// nothing of the workload need change any more to bring that up.
func (d *decider) recordStart(ro course, rec *v1alpha1.RolloutWorkload, m *Member, why v1alpha1.StartReason) {
	rec.State = v1alpha1.WorkloadAdmitted
	if rec.StartReason == "" {
		rec.StartReason = why // what bypassed its hold stays recorded as that
	}
	rec.AdmittedGeneration = max(1, m.Generation)
	ro.AdmittedTime = d.startTime()
	if why == v1alpha1.StartOverridden {
		rec.Override = &v1alpha1.Override{User: bounded(m.Override.User), Reason: bounded(m.Override.Reason), Time: d.now}
	}
	trackAdmitted(rec, m)
	d.disturb(ro, why)
	d.recordsChanged()
}

// startTime is now, or when the last start is known to have been should that be later: of two operators one may have a
// clock that is ahead, and what is recorded later must not look like the earlier start. A clock that is further ahead than
// clocks are was wrong, and nobody follows it.
func (d *decider) startTime() *metav1.Time {
	const ahead = time.Minute
	at := d.now
	if last := d.plan.Status.LastStart; last != nil && last.Time.After(at.Time) && last.Time.Before(&metav1.Time{Time: at.Add(ahead)}) {
		at = last.Time
	}
	return &at
}

// bounded makes a text printable and keeps it within what the status takes.
func bounded(s string) string {
	const limit = 256
	if s == "" {
		return "unknown"
	}
	s = printable.Text(s)
	if runes := []rune(s); len(runes) > limit {
		return string(runes[:limit])
	}
	return s
}

// whyStarted is why a workload that was held runs: the override and the admission tell it, each written in the very write
// that let it start. Where neither does, nobody admitted it.
func (d *decider) whyStarted(ro course, rec *v1alpha1.RolloutWorkload, m *Member) v1alpha1.StartReason {
	if m.Override != nil {
		return v1alpha1.StartOverridden
	}
	if a := d.admittedIn(ro, rec, m); a != nil {
		switch why := v1alpha1.StartReason(a.Reason); why {
		case v1alpha1.StartBackupCompleted, v1alpha1.StartDeadlinePassed, v1alpha1.StartModeChanged:
			return why
		}
	}
	return v1alpha1.StartNotHeld
}
