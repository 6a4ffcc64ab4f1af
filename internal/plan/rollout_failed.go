// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"fmt"
	"strings"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// noteFailures records which workloads of open rollouts made no progress within their deadline, and that one goes on again.
func (d *decider) noteFailures() {
	for ro := range d.courses() {
		if !open(ro.Rollout) {
			continue
		}
		for i := range ro.Workloads {
			rec := &ro.Workloads[i]
			m := d.members[keyOf(rec)]
			switch {
			case m == nil || string(m.UID) != rec.UID:
			case rec.State != v1alpha1.WorkloadAdmitted || m.Observed && !m.Failed:
				rec.FailedTime = nil
			case !m.Failed: // its controller has not looked yet
			case rec.FailedTime == nil:
				rec.FailedTime = &d.now
			}
		}
	}
}

// rolloutFailed reports whether a workload of a rollout failed, and that still stands.
func rolloutFailed(rec *v1alpha1.RolloutWorkload) bool { return rec.FailedTime != nil }

// verdictFailed names what failed, where the state before it is, and how to go back.
func (d *decider) verdictFailed(ro course) verdict {
	return verdict{
		ready: metav1.ConditionFalse, reason: v1alpha1.ReasonRolloutFailed, stalled: true,
		message: fmt.Sprintf("%s: made no progress within spec.progressDeadlineSeconds. %s. Fix it by another rollout, or go back: %s",
			namesWhere(ro.Rollout, rolloutFailed), stateBefore(ro.Rollout), d.backHint(ro)),
	}
}

// stateBefore names the backup that holds what ran before a rollout.
func stateBefore(ro *v1alpha1.Rollout) string {
	version := cmp.Or(ro.PreviousVersion, "what ran before")
	if phaseOf(ro) != string(velerov1.BackupPhaseCompleted) || backupFailed(ro) {
		return "No backup holds " + version
	}
	return fmt.Sprintf("Backup %s holds %s", ro.Backup.Name, cmp.Or(ro.Backup.Version, "the state before, in which several versions ran"))
}

// backHint is how to go back to the revision before the first workload that failed.
func (d *decider) backHint(ro course) string {
	for i := range ro.Workloads {
		rec := &ro.Workloads[i]
		if !rolloutFailed(rec) {
			continue
		}
		if m := d.members[keyOf(rec)]; m != nil && m.Paused {
			break // kubectl does not undo what is paused
		}
		return fmt.Sprintf("kubectl -n %s rollout undo %s/%s", d.in.Namespace, strings.ToLower(string(rec.Kind)), rec.Name)
	}
	return "apply the version that ran before"
}

// releaseOfFailure finds a release of which a rollout failed.
func (d *decider) releaseOfFailure() (course, bool) {
	for ro := range d.courses() {
		if open(ro.Rollout) && namesWhere(ro.Rollout, rolloutFailed) != "" {
			return ro, true
		}
	}
	return course{}, false
}

// failureTransitions are the events of the workloads whose rollout failed since an older status: on each of them, and once
// on the release.
func failureTransitions(r *v1alpha1.AppRelease, old, ro *v1alpha1.Rollout) []Event {
	return workloadEvents(old, ro, rolloutFailed, Event{
		Warning: true, Plan: true, Reason: v1alpha1.ReasonRolloutFailed, Action: "Rollout",
		Note: fmt.Sprintf("the rollout of %s made no progress within spec.progressDeadlineSeconds. %s: see the message of AppRelease %s",
			r.Spec.Version, stateBefore(ro), r.Name),
	})
}

// workloadEvents repeats an event for each workload of a rollout that is in some state and was not before, and tells it once
// of the release: when the first of them is.
func workloadEvents(old, ro *v1alpha1.Rollout, is func(*v1alpha1.RolloutWorkload) bool, e Event) []Event {
	var out []Event
	if namesWhere(old, is) == "" && namesWhere(ro, is) != "" {
		out = append(out, e)
	}
	for i := range ro.Workloads {
		if rec := &ro.Workloads[i]; is(rec) && !is(record(old, rec)) {
			e.Workload = keyOf(rec)
			out = append(out, e)
		}
	}
	return out
}

// FailedRollouts counts the rollouts of a release that failed between two statuses.
func FailedRollouts(from, to *v1alpha1.AppReleaseStatus) int {
	n := 0
	for i := range to.Rollouts {
		ro := &to.Rollouts[i]
		if namesWhere(ro, rolloutFailed) != "" && namesWhere(rollout(from, ro.Number), rolloutFailed) == "" {
			n++
		}
	}
	return n
}
