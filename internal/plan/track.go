// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// track brings the records of open rollouts forward to what the workloads show. What the operator itself did is found
// out in the same way, so that an operator that was killed in between needs no other road.
func (d *decider) track() {
	for _, r := range d.primaries() {
		for i := range r.status.Rollouts {
			ro := &r.status.Rollouts[i]
			if !open(ro) {
				continue
			}
			for j := range ro.Workloads {
				d.trackWorkload(r, ro, &ro.Workloads[j])
			}
		}
	}
}

func (d *decider) trackWorkload(r *release, ro *v1alpha1.Rollout, rec *v1alpha1.RolloutWorkload) {
	if rec.State != v1alpha1.WorkloadHeld && rec.State != v1alpha1.WorkloadReleased {
		return
	}
	m := d.members[keyOf(rec)]
	switch {
	case m == nil || string(m.UID) != rec.UID || !m.Selected:
		rec.State = v1alpha1.WorkloadAbandoned
	case rec.State == v1alpha1.WorkloadReleased:
		trackReleased(rec, m)
	case m.Held():
		d.trackHeld(r, rec, m)
	default:
		d.trackUnheld(ro, rec, m)
	}
}

// trackHeld: another edit of a held template belongs to the same rollout, as long as the version is the same.
func (d *decider) trackHeld(r *release, rec *v1alpha1.RolloutWorkload, m *Member) {
	if m.Template.Hash == rec.TemplateHash {
		return
	}
	if let, known := d.lastLetThrough(m); known && let.hash == m.Template.Hash {
		return // a revert; it is recorded once it was let go
	}
	v := d.versionOf(m)
	if v.Value != r.Spec.Version {
		rec.State = v1alpha1.WorkloadSuperseded
		return
	}
	rec.TemplateHash, rec.VersionSource = m.Template.Hash, v.Source
}

// trackUnheld: a workload that was held is not any more.
func (d *decider) trackUnheld(ro *v1alpha1.Rollout, rec *v1alpha1.RolloutWorkload, m *Member) {
	let, known := d.lastLetThrough(m)
	switch {
	case m.Template.Hash == rec.TemplateHash:
		d.recordStart(ro, rec, m, d.whyStarted(ro, rec, m))
	case known && m.Template.Hash == let.hash:
		rec.State = v1alpha1.WorkloadReverted
	default:
		rec.State = v1alpha1.WorkloadSuperseded
	}
}

// trackReleased: a held change of a workload that is still rolling out freezes it, and supersedes it only when that
// change starts.
func trackReleased(rec *v1alpha1.RolloutWorkload, m *Member) {
	switch {
	case m.Generation < rec.ReleasedGeneration || m.Held():
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
func (d *decider) recordStart(ro *v1alpha1.Rollout, rec *v1alpha1.RolloutWorkload, m *Member, why v1alpha1.StartReason) {
	rec.State = v1alpha1.WorkloadReleased
	rec.StartReason = why
	rec.ReleasedGeneration = m.Generation
	ro.ReleasedTime = &d.now
	if why == v1alpha1.StartOverridden {
		ro.Override = &v1alpha1.Override{User: bounded(m.Override.User), Reason: bounded(m.Override.Reason), Time: d.now}
	}
	trackReleased(rec, m)
}

// bounded keeps a text within what the status takes.
func bounded(s string) string {
	const limit = 256
	if s == "" {
		return "unknown"
	}
	if runes := []rune(s); len(runes) > limit {
		return string(runes[:limit])
	}
	return s
}

// whyStarted finds out why a workload that was held runs.
func (d *decider) whyStarted(ro *v1alpha1.Rollout, rec *v1alpha1.RolloutWorkload, m *Member) v1alpha1.StartReason {
	if m.Override != nil {
		return v1alpha1.StartOverridden
	}
	if why, ok := d.mayStart(ro, rec); ok {
		return why
	}
	return v1alpha1.StartNotHeld
}
