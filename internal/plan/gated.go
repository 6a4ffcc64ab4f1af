// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"
	"time"

	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/gate"
	"github.com/backstay-dr/backstay/internal/records"
)

// GateSubject is what the gate of a plan is assessed by. The plan must exist.
func GateSubject(in facts.Input) gate.Subject {
	s := gate.Subject{
		Plan: in.Plan, Now: in.Now, Terminating: in.Terminating, Overlapping: facts.Overlap(in.Members) != "", LastEscape: lastEscape(in),
	}
	target := slices.IndexFunc(in.Members, func(m facts.Member) bool { return m.Driver && !m.Unholdable })
	if target < 0 {
		target = slices.IndexFunc(in.Members, func(m facts.Member) bool { return m.Driver }) // the refusal tells why
	}
	if target >= 0 {
		s.Target, s.SharedWith = &in.Members[target].View, in.Members[target].SharedWith
	}
	return s
}

// lastEscape is when something last started that the gate was to hold; zero for never.
func lastEscape(in facts.Input) time.Time {
	var last time.Time
	for _, r := range in.Releases {
		for i := range r.Status.Rollouts {
			if ro := &r.Status.Rollouts[i]; records.Escaped(ro) && ro.AdmittedTime != nil {
				last = facts.Later(last, ro.AdmittedTime.Time)
			}
		}
	}
	return last
}
