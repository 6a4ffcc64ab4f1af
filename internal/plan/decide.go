// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/drift"
	"github.com/backstay-dr/backstay/internal/gate"
	"github.com/backstay-dr/backstay/internal/workload"
)

// Decide derives what to write from what is observed, and from what is known of the gate.
func Decide(in Input, finding gate.Finding) Decision {
	d := newDecider(in)
	d.decide()
	out := d.decision()
	if in.Plan == nil {
		return out
	}
	stored := d
	if d.unstored {
		stored = d.asStored()
	}
	stored.tellPlan(finding, &out)
	return out
}

// decide takes the steps.
func (d *decider) decide() {
	in := d.in
	switch {
	case in.Terminating:
	case in.Plan == nil:
		d.releaseOrphans()
		d.abandon()
		d.withdraw()
		d.clean()
		d.reportUnfollowed(d.verdictPlanNotFound())
	case tooMany(in.Members):
		// Which of them belong together cannot be recorded. Plan and releases say so; what is held stays held.
		d.letGoUnheld()
		d.reportUnfollowed(d.verdictTooManyWorkloads())
	default:
		d.track()
		d.discover()
		d.adoptBackups()
		d.announce()
		d.withdraw()
		d.backUp()
		d.markFailed()
		d.relabel()
		d.start()
		d.clean()
		d.takeOver()
		d.noteFailures()
		d.noteDeadlines()
		d.close()
		d.report()
		d.explain()
	}
}

// decider is the work on one decision. The statuses of its releases are copies that each step brings forward.
type decider struct {
	in        Input
	now       metav1.Time
	plan      *v1alpha1.DRPlan
	artifacts *drift.Artifacts // that the releases name
	members   map[workload.Key]*Member
	sorted    []*Member                           // in the order of their keys, so that a decision is always the same
	scheme    string                              // of the members' hashes
	seen      map[identity]*v1alpha1.PlanWorkload // what the plan remembers, in that scheme
	releases  []*release
	waits     map[*v1alpha1.Rollout]wait
	past      *history
	out       Decision

	// unstored reports whether the releases record anything that is not stored.
	unstored bool
}

// release is an AppRelease at work.
type release struct {
	*v1alpha1.AppRelease

	// status is the wanted status.
	status *v1alpha1.AppReleaseStatus

	// fresh says that the object does not exist yet.
	fresh bool

	// duplicate says that an older release stands for the same version.
	duplicate bool
}

// course is a rollout at work, with the release that it belongs to.
type course struct {
	*v1alpha1.Rollout
	of *release
}

// wait is what a rollout waits for before its backup can be created.
type wait struct{ reason, message string }

// newDecider begins a decision, which brings copies of the statuses forward.
func newDecider(in Input) *decider {
	d := newReader(in)
	for _, r := range d.releases {
		r.status = r.Status.DeepCopy()
	}
	return d
}

// newReader looks at the statuses as they are stored, and changes none.
func newReader(in Input) *decider {
	d := &decider{
		in:        in,
		now:       metav1.NewTime(in.Now.Truncate(time.Second)),
		plan:      in.Plan,
		artifacts: drift.Index(in.Releases),
		members:   map[workload.Key]*Member{},
		waits:     map[*v1alpha1.Rollout]wait{},
	}
	for i := range in.Members {
		d.members[in.Members[i].Key] = &in.Members[i]
	}
	d.sorted = slices.SortedFunc(maps.Values(d.members), func(a, b *Member) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	d.remember()
	d.readReleases()
	return d
}

// asStored is what newReader looks at, with what a decision has found out already of what is no record.
func (d *decider) asStored() *decider {
	stored := &decider{
		in: d.in, now: d.now, plan: d.plan, artifacts: d.artifacts, members: d.members, sorted: d.sorted,
		scheme: d.scheme, seen: d.seen, waits: map[*v1alpha1.Rollout]wait{},
	}
	stored.readReleases()
	return stored
}

func (d *decider) readReleases() {
	seen := map[string]bool{}
	for _, obj := range d.in.Releases {
		d.releases = append(d.releases, &release{AppRelease: obj, status: &obj.Status, duplicate: seen[obj.Spec.Version]})
		seen[obj.Spec.Version] = true
	}
}

// decision collects what the steps wanted.
func (d *decider) decision() Decision {
	d.out.Statuses = map[string]*v1alpha1.AppReleaseStatus{}
	for _, r := range d.releases {
		d.unstored = d.unstored || r.fresh
		if r.fresh {
			d.out.Create = append(d.out.Create, r.AppRelease)
		}
		fitRelease(r.status)
		if !sameStatus(&r.Status, r.status) {
			d.out.Statuses[r.Name], d.unstored = r.status, true
			d.out.WriteAhead = d.out.WriteAhead || r.fresh || recordsMore(&r.Status, r.status)
		}
	}
	if d.plan != nil && !tooMany(d.in.Members) && !d.in.Terminating {
		d.prune()
	}
	if at := d.passesUntil(); d.in.Now.Before(at) {
		d.out.Statuses = nil
		d.wake(at)
	}
	slices.SortFunc(d.out.Starts, func(a, b Start) int { return cmp.Compare(a.Workload.Name, b.Workload.Name) })
	return d.out
}

// wake asks for another decision at a time to come. What is past has had its effect on this one.
func (d *decider) wake(at time.Time) { d.out.wakeAfter(at.Sub(d.in.Now)) }

func (out *Decision) wakeAfter(after time.Duration) {
	if after > 0 && (out.RequeueAfter == 0 || after < out.RequeueAfter) {
		out.RequeueAfter = after
	}
}

// primaries are the releases that count.
func (d *decider) primaries() []*release {
	return slices.DeleteFunc(slices.Clone(d.releases), func(r *release) bool { return r.duplicate })
}

// courses are the rollouts of the releases that count. Opening another one ends what an earlier call is good for.
func (d *decider) courses() iter.Seq[course] {
	return func(yield func(course) bool) {
		for _, r := range d.primaries() {
			for i := range r.status.Rollouts {
				if !yield(course{&r.status.Rollouts[i], r}) {
					return
				}
			}
		}
	}
}

// versionOf resolves the version that a member asks for.
func (d *decider) versionOf(m *Member) drift.Version {
	return d.artifacts.Resolve(m.Template, m.Labels)
}

func (d *decider) mode() v1alpha1.GateMode { return d.plan.Spec.Gate.Mode }

func tooMany(members []Member) bool {
	n := 0
	for i := range members {
		if members[i].Selected {
			n++
		}
	}
	return n > v1alpha1.MaxWorkloads
}

func keyOf(rec *v1alpha1.RolloutWorkload) workload.Key {
	return workload.Key{Group: rec.Group, Kind: rec.Kind, Name: rec.Name}
}

func open(ro *v1alpha1.Rollout) bool { return ro.Outcome == "" }
