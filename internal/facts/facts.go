// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package facts is what was observed of one plan, and what follows from that without any record of a rollout. It is computed once
// for a decision and does not change during it.
package facts

import (
	"cmp"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/drift"
	"github.com/backstay-dr/backstay/internal/workload"
)

// Facts are those of one decision.
type Facts struct {
	Input

	// At is the time of the decision as a status records it, in whole seconds.
	At metav1.Time

	// Artifacts are those that the releases name.
	Artifacts *drift.Artifacts

	// Sorted are the members in the order of their keys, so that a decision is always the same.
	Sorted []*Member

	// Scheme is that of the hashes of the members' templates.
	Scheme string

	members map[workload.Key]*Member
	seen    map[Identity]*v1alpha1.PlanWorkload // what the plan remembers, in that scheme
}

// Of are the facts that follow from an input, which must not change any more.
func Of(in Input) *Facts {
	f := &Facts{
		Input:     in,
		At:        metav1.NewTime(in.Now.Truncate(time.Second)),
		Artifacts: drift.Index(in.Releases),
		members:   make(map[workload.Key]*Member, len(in.Members)),
	}
	for i := range in.Members {
		m := &in.Members[i]
		f.members[m.Key], f.Sorted = m, append(f.Sorted, m)
	}
	slices.SortFunc(f.Sorted, func(a, b *Member) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	f.remember()
	return f
}

// VersionOf resolves the version that a member asks for.
func (f *Facts) VersionOf(m *Member) drift.Version {
	return f.Artifacts.Resolve(m.Template, m.Labels)
}

// Mode is that of the plan's gate.
func (f *Facts) Mode() v1alpha1.GateMode { return f.Plan.Spec.Gate.Mode }

// Sooner is the earlier of two times to come, at which something changes by itself. What is zero or past is none: it has had its
// effect on this decision.
func (f *Facts) Sooner(a, b time.Time) time.Time {
	switch {
	case !b.After(f.Now):
		return a
	case !a.After(f.Now) || b.Before(a):
		return b
	default:
		return a
	}
}

// Later is the later of two times.
func Later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Objective is the recovery point objective.
func (f *Facts) Objective() time.Duration {
	return seconds(f.Plan.Spec.Objectives.RecoveryPointSeconds)
}

func seconds(n int32) time.Duration { return time.Duration(n) * time.Second }

// TimeOf is the zero time for nil.
func TimeOf(t *metav1.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Time
}

// StartTime is now, or when the last start is known to have been should that be later: of two operators one may have a
// clock that is ahead, and what is recorded later must not look like the earlier start. A clock that is further ahead than
// clocks are was wrong, and nobody follows it.
func StartTime(f *Facts) *metav1.Time {
	const ahead = time.Minute
	at := f.At
	if last := f.Plan.Status.LastStart; last != nil && last.Time.After(at.Time) && last.Time.Before(&metav1.Time{Time: at.Add(ahead)}) {
		at = last.Time
	}
	return &at
}

// StartMargin is by how much a backup must have been created after the last start of anything else of the plan: one second is lost
// to timestamps in whole seconds, two allow for the clocks of the operator and of the API server.
const StartMargin = 3 * time.Second
