// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// noteDeadlines records which workloads are held beyond their deadline: what is recorded is told once, also by an operator
// that was restarted. One whose user paused it waits for them.
func (d *decider) noteDeadlines() {
	for ro := range d.courses() {
		for i := range ro.Workloads {
			rec := &ro.Workloads[i]
			switch {
			case rec.State != v1alpha1.WorkloadHeld:
			case !d.heldTooLong(rec):
				rec.DeadlineTime = nil
			case rec.DeadlineTime == nil:
				rec.DeadlineTime = &d.now
			}
		}
	}
}

// heldTooLong reports whether a held workload stays held though its deadline has passed.
func (d *decider) heldTooLong(rec *v1alpha1.RolloutWorkload) bool {
	g := d.plan.Spec.Gate
	return g.Mode == v1alpha1.GateModeHold && g.OnDeadline == v1alpha1.DeadlineHold && !d.userPaused(rec) && d.pastDeadline(rec)
}

// overdue reports whether a workload is held beyond its deadline, as it was recorded.
func overdue(rec *v1alpha1.RolloutWorkload) bool {
	return rec.State == v1alpha1.WorkloadHeld && rec.DeadlineTime != nil
}

// overdueText says what is held beyond its deadline, why, and how to end that; "" where nothing is.
func (d *decider) overdueText(held []v1alpha1.HeldWorkload) string {
	for ro := range d.courses() {
		names := ""
		if open(ro.Rollout) {
			names = namesWhere(ro.Rollout, overdue)
		}
		if names == "" {
			continue
		}
		first := d.firstHeld(ro.Rollout)
		text := fmt.Sprintf("%s: held beyond the deadline of %s, and until the backup is Completed", names, d.deadline(first).UTC().Format(stamp))
		for i := range held {
			if h := &held[i]; h.Name == first.Name && h.Kind == first.Kind && h.Group == first.Group {
				text += fmt.Sprintf(" (%s)", h.Reason)
			}
		}
		return fmt.Sprintf("%s: see AppRelease %s. %s", text, ro.of.Name, d.overrideHint(first.Kind, first.Name))
	}
	return ""
}

// deadlineTransitions are the events of the workloads whose deadline passed since an older status: on each of them, and once
// on the release.
func deadlineTransitions(r *v1alpha1.AppRelease, old, ro *v1alpha1.Rollout) []Event {
	return workloadEvents(old, ro, overdue, Event{
		Warning: true, Plan: true, Reason: v1alpha1.ReasonDeadlinePassed, Action: "Hold",
		Note: fmt.Sprintf("the rollout of %s is held beyond its deadline: see the message of AppRelease %s", r.Spec.Version, r.Name),
	})
}

// PassedDeadlines counts the workloads whose deadline passed between two statuses of a release.
func PassedDeadlines(from, to *v1alpha1.AppReleaseStatus) int {
	n := 0
	for i := range to.Rollouts {
		ro := &to.Rollouts[i]
		old := rollout(from, ro.Number)
		for j := range ro.Workloads {
			if rec := &ro.Workloads[j]; overdue(rec) && !overdue(record(old, rec)) {
				n++
			}
		}
	}
	return n
}
