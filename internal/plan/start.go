// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"
	"time"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// start lets go what may start.
func (d *decider) start() {
	for _, m := range d.sortedMembers() {
		if !m.Held() {
			continue
		}
		let, known := d.lastLetThrough(m)
		switch {
		case !m.Selected:
			d.letGo(m, StartNotSelected)
		case !m.Driver:
			// another plan moves it
		case known && let.hash == m.Template.Hash:
			d.letGo(m, StartReverted)
		default:
			d.startHeld(m)
		}
	}
}

func (d *decider) startHeld(m *Member) {
	r, ro, rec := d.heldRecord(m)
	if rec == nil {
		if d.mode() != v1alpha1.GateModeHold {
			d.letGo(m, string(v1alpha1.StartModeChanged))
		}
		return
	}
	why, ok := d.mayStart(ro, rec)
	if !ok {
		if d.plan.Spec.Gate.OnDeadline == v1alpha1.DeadlineRelease || !d.pastDeadline(rec) {
			d.wake(d.deadline(rec))
		}
		return
	}
	s := Start{Workload: m.View, Reason: string(why), Release: r.Name, Since: since(rec)}
	if why == v1alpha1.StartBackupCompleted {
		s.Backup = ro.Backup.Name
	}
	d.out.Starts = append(d.out.Starts, s)
}

// heldRecord finds the record of a held member in an open rollout.
func (d *decider) heldRecord(m *Member) (*release, *v1alpha1.Rollout, *v1alpha1.RolloutWorkload) {
	for _, r := range d.primaries() {
		for i := range r.status.Rollouts {
			ro := &r.status.Rollouts[i]
			if !open(ro) {
				continue
			}
			if rec := recordOf(ro, m); rec != nil && rec.State == v1alpha1.WorkloadHeld && rec.TemplateHash == m.Template.Hash {
				return r, ro, rec
			}
		}
	}
	return nil, nil, nil
}

func (d *decider) letGo(m *Member, reason string) {
	s := Start{Workload: m.View, Reason: reason}
	for _, r := range d.primaries() {
		for i := range r.status.Rollouts {
			if rec := recordOf(&r.status.Rollouts[i], m); rec != nil && rec.State == v1alpha1.WorkloadHeld {
				s.Since = since(rec)
			}
		}
	}
	d.out.Starts = append(d.out.Starts, s)
}

// releaseOrphans lets go what a plan held that is gone, unless another plan holds it as well.
func (d *decider) releaseOrphans() {
	for _, m := range d.sortedMembers() {
		if m.HeldByPlan(d.in.Name) && len(m.SharedWith) == 0 {
			d.out.Starts = append(d.out.Starts, Start{Workload: m.View, Reason: StartPlanDeleted})
		}
	}
}

// clean removes marks that mean nothing any more.
func (d *decider) clean() {
	for _, m := range d.sortedMembers() {
		if m.StaleHold() || m.Override != nil && !m.Held() {
			d.out.Clean = append(d.out.Clean, m.View)
		}
	}
}

// close ends the rollouts of which nothing is left to wait for.
func (d *decider) close() {
	for _, r := range d.primaries() {
		for i := range r.status.Rollouts {
			ro := &r.status.Rollouts[i]
			if open(ro) && d.finished(ro) {
				ro.Outcome, ro.CompletionTime = outcome(ro), &d.now
			}
		}
	}
}

func (d *decider) finished(ro *v1alpha1.Rollout) bool {
	if len(ro.Workloads) == 0 {
		return false
	}
	if startedUnheld(ro) && d.mode() != v1alpha1.GateModeOff && (ro.Backup == nil || underWay(ro) || failed(ro) && !exhausted(d.plan, ro)) {
		return false // what started without a backup gets one all the same
	}
	return !slices.ContainsFunc(ro.Workloads, func(rec v1alpha1.RolloutWorkload) bool {
		return rec.State == v1alpha1.WorkloadHeld || rec.State == v1alpha1.WorkloadReleased
	})
}

// outcome of a rollout whose workloads all ended: the furthest that one of them got.
func outcome(ro *v1alpha1.Rollout) v1alpha1.RolloutOutcome {
	has := func(s v1alpha1.WorkloadState) bool {
		return slices.ContainsFunc(ro.Workloads, func(rec v1alpha1.RolloutWorkload) bool { return rec.State == s })
	}
	switch {
	case has(v1alpha1.WorkloadSuperseded):
		return v1alpha1.OutcomeSuperseded
	case has(v1alpha1.WorkloadRolledOut):
		return v1alpha1.OutcomeRolledOut
	case has(v1alpha1.WorkloadReverted):
		return v1alpha1.OutcomeReverted
	default:
		return v1alpha1.OutcomeAbandoned
	}
}

func since(rec *v1alpha1.RolloutWorkload) time.Time {
	if rec.HeldSince == nil {
		return time.Time{}
	}
	return rec.HeldSince.Time
}
