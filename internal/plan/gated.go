// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"
	"time"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/gate"
)

// GateSubject is what the gate of a plan is assessed by. The plan must exist.
func GateSubject(in Input) gate.Subject {
	s := gate.Subject{
		Plan: in.Plan, Now: in.Now, Terminating: in.Terminating, Overlapping: overlap(in.Members) != "", LastEscape: lastEscape(in),
	}
	target := slices.IndexFunc(in.Members, func(m Member) bool { return m.Driver && !m.Unholdable })
	if target < 0 {
		target = slices.IndexFunc(in.Members, func(m Member) bool { return m.Driver }) // the refusal tells why
	}
	if i := target; i >= 0 {
		s.Target, s.SharedWith = &in.Members[i].View, in.Members[i].SharedWith
	}
	return s
}

// lastEscape is when something last started that the gate was to hold; zero for never.
func lastEscape(in Input) time.Time {
	var last time.Time
	for _, r := range in.Releases {
		for i := range r.Status.Rollouts {
			if ro := &r.Status.Rollouts[i]; escaped(ro) && ro.AdmittedTime != nil {
				last = later(last, ro.AdmittedTime.Time)
			}
		}
	}
	return last
}

// escaped reports whether something of a rollout started that the gate was proven to hold, or that it held.
func escaped(ro *v1alpha1.Rollout) bool {
	return ro.Cause == v1alpha1.CauseEscaped || slices.ContainsFunc(ro.Workloads, func(rec v1alpha1.RolloutWorkload) bool {
		return rec.StartReason == v1alpha1.StartNotHeld && rec.HeldSince != nil
	})
}
