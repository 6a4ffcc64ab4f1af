// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"slices"
	"strings"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// verdict is what is said of a release: its Ready condition, and what follows from it.
type verdict struct {
	ready       metav1.ConditionStatus
	reason      string
	message     string
	reconciling bool
	stalled     bool
}

func (d *decider) verdictIdle(r *release) verdict {
	if d.mode() == v1alpha1.GateModeDisabled && r.Spec.Intent == v1alpha1.IntentDeploy {
		return verdict{
			ready: metav1.ConditionFalse, reason: v1alpha1.ReasonGateDisabled, stalled: true,
			message: "the plan's gate is Disabled: no backup is taken; set spec.gate.mode to Hold or Observe",
		}
	}
	return verdict{ready: metav1.ConditionTrue, reason: v1alpha1.ReasonRecorded, message: "recorded; nothing of it has rolled out"}
}

// verdict says how the newest rollout of a release stands.
func (d *decider) verdict(ro course) verdict {
	backedUp := phaseOf(ro.Rollout) == string(velerov1.BackupPhaseCompleted) && !backupFailed(ro.Rollout)
	switch {
	case !open(ro.Rollout) && d.unprotectedEscape(ro):
		return d.verdictEscaped(ro)
	case !open(ro.Rollout):
		return verdictEnded(ro.Rollout)
	case holds(ro.Rollout) || d.needsBackup(ro.Rollout) && !backedUp:
		return d.verdictWaiting(ro)
	case len(ro.Workloads) > 0:
		return d.verdictRolling(ro)
	case backedUp:
		return d.verdictAhead(ro)
	default:
		return d.verdictIdle(ro.of)
	}
}

// verdictAhead says what the backup is worth that was taken ahead of a rollout.
func (d *decider) verdictAhead(ro course) verdict {
	v := verdict{
		ready: metav1.ConditionTrue, reason: v1alpha1.ReasonBackupCompleted,
		message: fmt.Sprintf("backup %s is Completed: the rollout may begin", ro.Backup.Name),
	}
	if !d.serves(ro) {
		v.message = fmt.Sprintf("backup %s is Completed and serves no rollout any more: it is too old, gone, or from before the last start "+
			"of a workload. A rollout that begins now is held for another backup", ro.Backup.Name)
	}
	return v
}

// verdictEscaped: it ended, and every attempt at a backup of what escaped failed.
func (d *decider) verdictEscaped(ro course) verdict {
	v := verdictEnded(ro.Rollout)
	v.ready, v.reason, v.stalled = metav1.ConditionFalse, v1alpha1.ReasonEscaped, true
	v.message += "; no backup since is Completed: " + d.howToProtect()
	return v
}

// verdictEnded says how a rollout ended. Unless it rolled out, nothing more comes of it: Stalled, or whoever waits for
// Ready would wait for ever.
func verdictEnded(ro *v1alpha1.Rollout) verdict {
	v := verdict{ready: metav1.ConditionFalse, stalled: ro.Outcome != v1alpha1.OutcomeRolledOut}
	if len(ro.Workloads) == 0 {
		v.reason, v.message = v1alpha1.ReasonSuperseded, "a newer rollout of this version took its place"
		return v
	}
	switch ro.Outcome {
	case v1alpha1.OutcomeRolledOut:
		v.ready, v.reason = metav1.ConditionTrue, v1alpha1.ReasonRolledOut
		v.message = fmt.Sprintf("%s rolled out%s", names(ro, v1alpha1.WorkloadRolledOut), unprotected(ro))
	case v1alpha1.OutcomeSuperseded:
		v.reason = v1alpha1.ReasonSuperseded
		v.message = fmt.Sprintf("a newer rollout took over %s", names(ro, v1alpha1.WorkloadSuperseded))
	case v1alpha1.OutcomeReverted:
		v.reason = v1alpha1.ReasonReverted
		v.message = fmt.Sprintf("the change of %s was taken back before it started", names(ro, v1alpha1.WorkloadReverted))
	default:
		v.reason = v1alpha1.ReasonAbandoned
		v.message = fmt.Sprintf("%s: deleted, or no longer of this plan", names(ro, v1alpha1.WorkloadAbandoned))
	}
	return v
}

// unprotected counts the workloads of a rollout that started without a backup, by the reason.
func unprotected(ro *v1alpha1.Rollout) string {
	count := map[v1alpha1.StartReason]int{}
	for i := range ro.Workloads {
		count[ro.Workloads[i].StartReason]++
	}
	text := ""
	if n := count[v1alpha1.StartNotHeld]; n > 0 && escaped(ro) {
		text = fmt.Sprintf(", %d of them past the gate (%s)", n, v1alpha1.ReasonEscaped)
	}
	for _, why := range []v1alpha1.StartReason{v1alpha1.StartOverridden, v1alpha1.StartDeadlinePassed, v1alpha1.StartModeChanged} {
		if n := count[why]; n > 0 {
			text += fmt.Sprintf(", %d of them without a backup (%s)", n, why)
		}
	}
	return text
}

func (d *decider) verdictRolling(ro course) verdict {
	if namesWhere(ro.Rollout, rolloutFailed) != "" {
		return d.verdictFailed(ro)
	}
	v := verdict{ready: metav1.ConditionFalse, reason: v1alpha1.ReasonRollingOut, reconciling: true}
	v.message = fmt.Sprintf("%s: released and rolling out", names(ro.Rollout, v1alpha1.WorkloadAdmitted))
	for i := range ro.Workloads {
		m := d.members[keyOf(&ro.Workloads[i])]
		if ro.Workloads[i].State == v1alpha1.WorkloadAdmitted && m != nil && m.Paused && !m.Held() {
			v.reason = v1alpha1.ReasonPaused
			v.message = fmt.Sprintf("%s is released, and paused by a user: resume it with %s", m.Name, resume(m.Key))
		}
	}
	return v
}

// verdictWaiting says what a rollout waits for, since when, until when, and what can be done.
func (d *decider) verdictWaiting(ro course) verdict {
	v := verdict{ready: metav1.ConditionFalse, reconciling: true}
	w := d.backupState(ro)
	v.reason, v.message = w.reason, w.message
	if v.reason == v1alpha1.ReasonBackupFailed {
		v.reconciling, v.stalled = false, true
	}
	switch {
	case escaped(ro.Rollout):
		v.reason = v1alpha1.ReasonEscaped
		v.message = fmt.Sprintf("%s bypassed the gate; %s", startedBecause(ro.Rollout, v1alpha1.StartNotHeld), v.message)
	case v.reason == v1alpha1.ReasonBackupCompleted && d.waitsForUsers(ro.Rollout):
		v.reason = v1alpha1.ReasonPaused
		if first := d.firstHeld(ro.Rollout); first != nil {
			v.message += "; it was paused by a user before it was held: resume it with " + resume(keyOf(first))
		}
	}
	if holds(ro.Rollout) {
		v.message = fmt.Sprintf("%s: %s. %s", names(ro.Rollout, v1alpha1.WorkloadHeld), v.message, d.holdTerms(ro.Rollout))
	}
	return v
}

// waitsForUsers reports whether users paused whatever a rollout still holds.
func (d *decider) waitsForUsers(ro *v1alpha1.Rollout) bool {
	return !slices.ContainsFunc(ro.Workloads, func(rec v1alpha1.RolloutWorkload) bool {
		return rec.State == v1alpha1.WorkloadHeld && !d.userPaused(&rec)
	})
}

// backupState is how the backup of a rollout stands that is wanted.
func (d *decider) backupState(ro course) wait {
	return d.afterFailures(ro, d.attemptState(ro))
}

// attemptState is how the latest attempt at it stands: what it waits for before it begins, or the first check of the release rule that
// it does not pass.
func (d *decider) attemptState(ro course) wait {
	if w, waits := d.waits[ro.Rollout]; waits {
		return w
	}
	if w, failed := d.firstFailed(attemptChecks, ro, nil); failed {
		return w
	}
	return wait{v1alpha1.ReasonBackupCompleted, fmt.Sprintf("backup %s is Completed", ro.Backup.Name)}
}

// askedBefore reports whether a backup was asked for in an earlier decision, and a while ago.
func (d *decider) askedBefore(ro course) bool {
	stored := rollout(&ro.of.Status, ro.Number).Backup
	return stored != nil && stored.Name == ro.Backup.Name && !d.in.Now.Before(ro.OpenedTime.Add(pickUpTime))
}

// queued is the place of a backup in Velero's queue, where Velero tells it.
func queued(b *v1alpha1.RolloutBackup) string {
	if b.QueuePosition == 0 {
		return ""
	}
	return fmt.Sprintf(", at position %d", b.QueuePosition)
}

// holdTerms says since and until when a rollout is held, and how to override that.
func (d *decider) holdTerms(ro *v1alpha1.Rollout) string {
	first := d.firstHeld(ro)
	if first == nil {
		return ""
	}
	deadline := d.deadline(first).UTC().Format(stamp)
	since := "Held since " + waiting(first).UTC().Format(stamp)
	switch {
	case d.userPaused(first):
		since += ", until the backup is Completed and whoever paused it resumes it"
	case d.plan.Spec.Gate.OnDeadline == v1alpha1.DeadlineRelease:
		since += fmt.Sprintf("; at the deadline, %s, it is released without a backup", deadline)
	case d.pastDeadline(first):
		since += fmt.Sprintf(", until the backup is Completed (the deadline was %s)", deadline)
	default:
		since += ", until the backup is Completed"
	}
	return since + ". " + d.overrideHint(first.Kind, first.Name)
}

// stamp is how times are written in messages.
const stamp = "2006-01-02T15:04:05Z"

// firstHeld is the workload of a rollout that has been held the longest; one that its user paused too only where that
// is so for all of them.
func (d *decider) firstHeld(ro *v1alpha1.Rollout) *v1alpha1.RolloutWorkload {
	var first *v1alpha1.RolloutWorkload
	for i := range ro.Workloads {
		rec := &ro.Workloads[i]
		if rec.State != v1alpha1.WorkloadHeld || rec.HeldSince == nil {
			continue
		}
		if first == nil || d.userPaused(first) && !d.userPaused(rec) ||
			d.userPaused(first) == d.userPaused(rec) && waiting(rec).Before(waiting(first)) {
			first = rec
		}
	}
	return first
}

// overrideHint is how to start a held workload in an emergency.
func (d *decider) overrideHint(kind v1alpha1.WorkloadKind, name string) string {
	return fmt.Sprintf("To start it without a backup: kubectl -n %s annotate %s %s %s='<why>'",
		d.in.Namespace, strings.ToLower(string(kind)), name, v1alpha1.AnnotationOverride)
}

// names lists the workloads of a rollout that are in a state.
func names(ro *v1alpha1.Rollout, state v1alpha1.WorkloadState) string {
	return namesWhere(ro, func(rec *v1alpha1.RolloutWorkload) bool { return rec.State == state })
}

// startedBecause lists those that started for a reason.
func startedBecause(ro *v1alpha1.Rollout, why v1alpha1.StartReason) string {
	return namesWhere(ro, func(rec *v1alpha1.RolloutWorkload) bool { return rec.StartReason == why })
}

// namesWhere lists at most five.
func namesWhere(ro *v1alpha1.Rollout, is func(*v1alpha1.RolloutWorkload) bool) string {
	const limit = 5
	var out []string
	for i := range ro.Workloads {
		if is(&ro.Workloads[i]) {
			out = append(out, ro.Workloads[i].Name)
		}
	}
	if more := len(out) - limit; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(out[:limit], ", "), more)
	}
	return strings.Join(out, ", ")
}

func phaseOf(ro *v1alpha1.Rollout) string {
	if ro.Backup == nil {
		return ""
	}
	return ro.Backup.Phase
}
