// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// Settling says whether the plan's status is about to change again within moments, by what the releases are about to
// record or to start. Whoever writes the status may wait for that, for a moment: a quick rollout is then one write,
// and the release, which tells more, is not kept waiting.
func Settling(in Input) bool {
	if in.Plan == nil || tooMany(in.Members) {
		return false
	}
	d := newReader(in)
	for _, m := range d.sortedMembers() {
		if m.Selected && m.Driver && d.settling(m) {
			return true
		}
	}
	return false
}

func (d *decider) settling(m *Member) bool {
	if !m.Held() {
		return d.recordedHeld(m) // its start is about to be recorded
	}
	ro, rec := d.heldRecord(m)
	if rec == nil && d.restored(m) {
		return false // nothing but the plan's status remembers it
	}
	if rec == nil {
		return true // its hold is about to be recorded, or it is about to be let go
	}
	if rec.HeldSince != nil && d.in.Now.Before(rec.HeldSince.Add(settleTime)) {
		return true
	}
	_, may := d.mayLetGo(ro, rec, m)
	return may
}

// passing: one rollout is open, its backup let all of it go, and that is all there is to write. Should the operator be
// killed before it is written, or the workload be edited, the ReplicaSets tell the same. What nothing allowed is told
// at once.
func (d *decider) passing() bool {
	out := &d.out
	if len(out.Statuses) != 1 || out.WriteAhead || len(out.Starts)+len(out.Relabel)+len(out.Touch)+len(out.Clean) > 0 {
		return false
	}
	var rolling []course
	for ro := range d.courses() {
		if open(ro.Rollout) {
			rolling = append(rolling, ro)
		}
	}
	if len(rolling) != 1 {
		return false
	}
	ro := rolling[0]
	return ro.AdmittedTime != nil && rollout(&ro.of.Status, ro.Number).AdmittedTime == nil &&
		!slices.ContainsFunc(ro.Workloads, func(rec v1alpha1.RolloutWorkload) bool { return rec.StartReason != v1alpha1.StartBackupCompleted })
}

// recordedHeld says whether an open rollout still says that a member is held.
func (d *decider) recordedHeld(m *Member) bool {
	for range d.heldRecords(m) {
		return true
	}
	return false
}
