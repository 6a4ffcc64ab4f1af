// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"
	"time"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

const (
	// settleTime is for how long what a rollout passes on its way is not written to a status: a quick one is over before
	// anybody could read it.
	settleTime = 2 * time.Second

	// passTime is for how long a release does not tell that a backup released its workloads: a quick rollout is then one
	// write with its end.
	passTime = time.Second
)

// settles reports whether the plan's status is about to change again within moments, by what the releases are about to
// record or to start. A quick rollout is then one write.
func (d *decider) settles() bool {
	if tooMany(d.in.Members) || d.in.Terminating {
		return false
	}
	return slices.ContainsFunc(d.sorted, func(m *Member) bool { return m.Selected && m.Driver && d.settling(m) })
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
		return true // its hold is about to be recorded, or it is about to be released
	}
	if since := timeOf(rec.HeldSince); !since.After(d.in.Now) && d.in.Now.Before(since.Add(settleTime)) {
		return true
	}
	return d.rule(ro, rec).start != ""
}

// passesUntil is until when the statuses of the releases can wait, since they tell of nothing but one rollout whose workloads
// its backup released a moment ago; zero where they cannot. Should the operator be killed before they are written, or a workload
// be edited, the workloads and their ReplicaSets tell the same.
func (d *decider) passesUntil() time.Time {
	out := &d.out
	if len(out.Statuses) != 1 || out.WriteAhead || len(out.Starts)+len(out.Relabel)+len(out.Touch)+len(out.Clean) > 0 {
		return time.Time{}
	}
	var rolling []course
	for ro := range d.courses() {
		if open(ro.Rollout) {
			rolling = append(rolling, ro)
		}
	}
	if len(rolling) != 1 {
		return time.Time{}
	}
	ro := rolling[0]
	if ro.AdmittedTime == nil || rollout(&ro.of.Status, ro.Number).AdmittedTime != nil {
		return time.Time{}
	}
	return d.admittedSince(ro).Add(passTime)
}

// admittedSince is when the last workload of a rollout was released by its backup; zero where one started otherwise, or was not
// released within passTime.
func (d *decider) admittedSince(ro course) time.Time {
	var last time.Time
	for i := range ro.Workloads {
		rec := &ro.Workloads[i]
		m := d.members[keyOf(rec)]
		if m == nil || rec.StartReason != v1alpha1.StartBackupCompleted {
			return time.Time{}
		}
		a := d.admittedIn(ro, rec, m)
		if a == nil || a.Time.After(d.in.Now) || d.in.Now.Sub(a.Time) > passTime {
			return time.Time{}
		}
		last = later(last, a.Time)
	}
	return last
}

// recordedHeld reports whether an open rollout still says that a member is held.
func (d *decider) recordedHeld(m *Member) bool {
	for range d.heldRecords(m) {
		return true
	}
	return false
}
