// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/backup"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/rule"
)

// verdict is what is said of a release: its Ready condition, and what follows from it.
type verdict struct {
	ready       metav1.ConditionStatus
	reason      string
	message     string
	reconciling bool
	stalled     bool
}

func verdictIdle(f *facts.Facts, r *records.Release) verdict {
	if f.Mode() == v1alpha1.GateModeDisabled && r.Spec.Intent == v1alpha1.IntentDeploy {
		return verdict{
			ready: metav1.ConditionFalse, reason: v1alpha1.ReasonGateDisabled, stalled: true,
			message: "the plan's gate is Disabled: no backup is taken; set spec.gate.mode to Hold or Observe",
		}
	}
	return verdict{ready: metav1.ConditionTrue, reason: v1alpha1.ReasonRecorded, message: "recorded; nothing of it has rolled out"}
}

// verdictOf says how the newest rollout of a release stands.
func verdictOf(f *facts.Facts, book *records.Book, waits rule.Waits, ro records.Rollout) verdict {
	backedUp := records.PhaseOf(ro.Rollout) == string(velerov1.BackupPhaseCompleted) && !records.BackupFailed(ro.Rollout)
	switch {
	case !records.IsOpen(ro.Rollout) && rule.UnprotectedEscape(f, book, ro):
		return verdictEscaped(f, ro)
	case !records.IsOpen(ro.Rollout):
		return verdictEnded(ro.Rollout)
	case records.Holds(ro.Rollout) || backup.Needed(f, ro.Rollout) && !backedUp:
		return verdictWaiting(f, waits, ro)
	case len(ro.Workloads) > 0:
		return verdictRolling(f, ro)
	case backedUp:
		return verdictAhead(f, book, ro)
	default:
		return verdictIdle(f, ro.Of)
	}
}

// verdictAhead says what the backup is worth that was taken ahead of a rollout.
func verdictAhead(f *facts.Facts, book *records.Book, ro records.Rollout) verdict {
	v := verdict{
		ready: metav1.ConditionTrue, reason: v1alpha1.ReasonBackupCompleted,
		message: fmt.Sprintf("backup %s is Completed: the rollout may begin", ro.Backup.Name),
	}
	if !rule.Serves(f, book, ro) {
		v.message = fmt.Sprintf("backup %s is Completed and serves no rollout any more: it is too old, gone, or from before the last start "+
			"of a workload. A rollout that begins now is held for another backup", ro.Backup.Name)
	}
	return v
}

// verdictEscaped: it ended, and every attempt at a backup of what escaped failed.
func verdictEscaped(f *facts.Facts, ro records.Rollout) verdict {
	v := verdictEnded(ro.Rollout)
	v.ready, v.reason, v.stalled = metav1.ConditionFalse, v1alpha1.ReasonEscaped, true
	v.message += "; no backup since is Completed: " + howToProtect(f)
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
		v.message = fmt.Sprintf("%s rolled out%s", records.Names(ro, v1alpha1.WorkloadRolledOut), unprotected(ro))
	case v1alpha1.OutcomeSuperseded:
		v.reason = v1alpha1.ReasonSuperseded
		v.message = fmt.Sprintf("a newer rollout took over %s", records.Names(ro, v1alpha1.WorkloadSuperseded))
	case v1alpha1.OutcomeReverted:
		v.reason = v1alpha1.ReasonReverted
		v.message = fmt.Sprintf("the change of %s was taken back before it started", records.Names(ro, v1alpha1.WorkloadReverted))
	default:
		v.reason = v1alpha1.ReasonAbandoned
		v.message = fmt.Sprintf("%s: deleted, or no longer of this plan", records.Names(ro, v1alpha1.WorkloadAbandoned))
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
	if n := count[v1alpha1.StartNotHeld]; n > 0 && records.Escaped(ro) {
		text = fmt.Sprintf(", %d of them past the gate (%s)", n, v1alpha1.ReasonEscaped)
	}
	for _, why := range []v1alpha1.StartReason{v1alpha1.StartOverridden, v1alpha1.StartDeadlinePassed, v1alpha1.StartModeChanged} {
		if n := count[why]; n > 0 {
			text += fmt.Sprintf(", %d of them without a backup (%s)", n, why)
		}
	}
	return text
}

func verdictRolling(f *facts.Facts, ro records.Rollout) verdict {
	if records.NamesWhere(ro.Rollout, records.RolloutFailed) != "" {
		return verdictFailed(f, ro)
	}
	v := verdict{ready: metav1.ConditionFalse, reason: v1alpha1.ReasonRollingOut, reconciling: true}
	v.message = fmt.Sprintf("%s: released and rolling out", records.Names(ro.Rollout, v1alpha1.WorkloadAdmitted))
	for i := range ro.Workloads {
		m := f.MemberOf(&ro.Workloads[i])
		if ro.Workloads[i].State == v1alpha1.WorkloadAdmitted && m != nil && m.Paused && !m.Held() {
			v.reason = v1alpha1.ReasonPaused
			v.message = fmt.Sprintf("%s is released, and paused by a user: resume it with %s", m.Name, rule.Resume(&ro.Workloads[i]))
		}
	}
	return v
}

// verdictWaiting says what a rollout waits for, since when, until when, and what can be done.
func verdictWaiting(f *facts.Facts, waits rule.Waits, ro records.Rollout) verdict {
	v := verdict{ready: metav1.ConditionFalse, reconciling: true}
	w := rule.BackupState(f, waits, ro)
	v.reason, v.message = w.Reason, w.Message
	if v.reason == v1alpha1.ReasonBackupFailed {
		v.reconciling, v.stalled = false, true
	}
	switch {
	case records.Escaped(ro.Rollout):
		v.reason = v1alpha1.ReasonEscaped
		v.message = fmt.Sprintf("%s bypassed the gate; %s", records.StartedBecause(ro.Rollout, v1alpha1.StartNotHeld), v.message)
	case v.reason == v1alpha1.ReasonBackupCompleted && rule.WaitsForUsers(f, ro.Rollout):
		v.reason = v1alpha1.ReasonPaused
		if first := firstHeld(f, ro.Rollout); first != nil {
			v.message += "; it was paused by a user before it was held: resume it with " + rule.Resume(first)
		}
	}
	if records.Holds(ro.Rollout) {
		v.message = fmt.Sprintf("%s: %s. %s", records.Names(ro.Rollout, v1alpha1.WorkloadHeld), v.message, holdTerms(f, ro.Rollout))
	}
	return v
}
