// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// start lets go what may start.
func (d *decider) start() {
	for _, m := range d.sorted {
		switch {
		case !m.Held(), !m.Driver, d.restored(m):
			// nothing waits, or another plan moves it, or it waits for a person
		case d.reverted(m):
			d.letGo(m, StartReverted)
		default:
			d.startHeld(m)
		}
	}
}

// letGoUnheld lets go what a plan holds that does not hold any more.
func (d *decider) letGoUnheld() {
	for _, m := range d.sorted {
		if m.Held() && m.Driver && !d.restored(m) && d.mode() != v1alpha1.GateModeHold {
			d.letGo(m, string(v1alpha1.StartModeChanged))
		}
	}
}

func (d *decider) startHeld(m *Member) {
	ro, rec := d.heldRecord(m)
	if rec == nil {
		if d.mode() != v1alpha1.GateModeHold {
			d.letGo(m, string(v1alpha1.StartModeChanged))
		}
		return
	}
	r := d.rule(ro, rec)
	if r.start == "" {
		d.wake(r.until)
		return
	}
	s := Start{Workload: m.View, Reason: string(r.start), Release: ro.of.Name, Rollout: ro.Number, Since: timeOf(waiting(rec))}
	if r.start == v1alpha1.StartBackupCompleted {
		if s.Backup = ro.Backup.Name; d.startsAnother(s) {
			return // what starts now voids this backup: the next decision sees that
		}
	}
	d.out.Starts = append(d.out.Starts, s)
}

// startsAnother reports whether this decision starts something of another rollout.
func (d *decider) startsAnother(s Start) bool {
	return slices.ContainsFunc(d.out.Starts, func(other Start) bool {
		return other.Reason != StartReverted && (other.Release != s.Release || other.Backup != s.Backup)
	})
}

func (d *decider) letGo(m *Member, reason string) {
	s := Start{Workload: m.View, Reason: reason}
	for ro, rec := range d.heldRecords(m) {
		if s.Since = timeOf(waiting(rec)); rec.TemplateHash == m.Template.Hash {
			s.Release, s.Rollout = ro.of.Name, ro.Number
		}
	}
	d.out.Starts = append(d.out.Starts, s)
}

// releaseOrphans lets go what a plan held that is gone, unless another plan selects it. What was restored was held by no
// plan that was here: a restore of a namespace brings its Deployments before its plans.
func (d *decider) releaseOrphans() {
	for _, m := range d.sorted {
		switch {
		case !m.HeldByPlan(d.in.Name), len(m.SharedWith) > 0:
			// it runs, or another plan has it
		case d.restored(m):
			d.out.Restored = append(d.out.Restored, m.View)
		default:
			d.letGo(m, StartPlanDeleted)
		}
	}
}

// abandon ends the rollouts of a plan that is gone. A plan of the same name that is created later begins anew: what was
// let go in between did not escape it.
func (d *decider) abandon() {
	for ro := range d.courses() {
		if !open(ro.Rollout) || len(ro.Workloads) == 0 {
			continue
		}
		for i := range ro.Workloads {
			if rec := &ro.Workloads[i]; !ended(rec) {
				rec.State = v1alpha1.WorkloadAbandoned
			}
		}
		ro.Outcome, ro.CompletionTime = outcome(ro.Rollout), &d.now
	}
}

// takeOver marks what this plan moves as held by it, where the mark names another plan: one that is gone, or the one that
// admission asked last of those that select the workload. Without its labels a workload is its holder's alone.
func (d *decider) takeOver() {
	if d.mode() != v1alpha1.GateModeHold {
		return
	}
	for _, m := range d.sorted {
		if m.Held() && m.Selected && m.Driver && !m.HeldByPlan(d.in.Name) && !d.restored(m) && !d.isWritten(m) {
			d.out.Remark = append(d.out.Remark, m.View)
		}
	}
}

// clean removes marks that mean nothing any more, and the record of an override, which is in a status by now. That one
// is for the plan that moves the workload.
func (d *decider) clean() {
	for _, m := range d.sorted {
		ours := m.Driver || !m.Selected && len(m.SharedWith) == 0
		if ours && (m.StaleHold() || m.Override != nil || m.HeldReason != "" && !m.Held()) {
			d.out.Clean = append(d.out.Clean, m.View)
		}
	}
}

// close ends the rollouts of which nothing is left to wait for.
func (d *decider) close() {
	for ro := range d.courses() {
		if !open(ro.Rollout) {
			continue
		}
		switch {
		case ahead(ro.Rollout) && ro.Rollout != &ro.of.status.Rollouts[0]:
			ro.Outcome, ro.CompletionTime = v1alpha1.OutcomeSuperseded, &d.now
		case d.finished(ro):
			ro.Outcome, ro.CompletionTime = outcome(ro.Rollout), &d.now
		}
	}
}

func (d *decider) finished(ro course) bool {
	if len(ro.Workloads) == 0 {
		return false
	}
	if d.stillToBackUp(ro) {
		return false // what started without a backup gets one all the same
	}
	return !slices.ContainsFunc(ro.Workloads, func(rec v1alpha1.RolloutWorkload) bool { return !ended(&rec) })
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

func timeOf(t *metav1.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Time
}
