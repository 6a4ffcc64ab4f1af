// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"slices"
	"strings"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	"k8s.io/apimachinery/pkg/api/meta"
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

// report writes the conditions of every release.
func (d *decider) report() {
	for _, r := range d.releases {
		if r.duplicate {
			d.reportDuplicate(r)
			continue
		}
		if len(r.status.Rollouts) == 0 {
			d.setConditions(r, d.verdictIdle(), idle(v1alpha1.ReasonNotStarted), idle(v1alpha1.ReasonNotStarted))
			continue
		}
		ro := &r.status.Rollouts[0]
		v := d.verdict(ro)
		d.setConditions(r, v, d.backedUp(ro, v), d.rolledOut(ro))
	}
}

// reportPlanNotFound says of every release that it belongs to nothing.
func (d *decider) reportPlanNotFound() {
	message := fmt.Sprintf("there is no DRPlan %s in namespace %s: create it, or delete this release", d.in.Name, d.in.Namespace)
	for _, r := range d.releases {
		d.setConditions(r, verdict{ready: metav1.ConditionFalse, reason: v1alpha1.ReasonPlanNotFound, message: message},
			idle(v1alpha1.ReasonPlanNotFound), idle(v1alpha1.ReasonPlanNotFound))
	}
}

func (d *decider) reportDuplicate(r *release) {
	first := ""
	for _, other := range d.releases {
		if !other.duplicate && other.Spec.Version == r.Spec.Version {
			first = other.Name
		}
	}
	v := verdict{
		ready: metav1.ConditionFalse, reason: v1alpha1.ReasonDuplicate, stalled: true,
		message: fmt.Sprintf("AppRelease %s stands for version %s already; this one does nothing: delete it", first, r.Spec.Version),
	}
	d.setConditions(r, v, idle(v1alpha1.ReasonDuplicate), idle(v1alpha1.ReasonDuplicate))
}

func (d *decider) verdictIdle() verdict {
	if d.mode() == v1alpha1.GateModeOff {
		return verdict{
			ready: metav1.ConditionFalse, reason: v1alpha1.ReasonGateOff, stalled: true,
			message: "the plan's gate is Off: no backup is taken; set spec.gate.mode to Hold or Observe",
		}
	}
	return verdict{ready: metav1.ConditionTrue, reason: v1alpha1.ReasonRecorded, message: "recorded; nothing of it has rolled out"}
}

// verdict says how the newest rollout of a release stands.
func (d *decider) verdict(ro *v1alpha1.Rollout) verdict {
	switch {
	case !open(ro):
		return verdictEnded(ro)
	case d.holds(ro) || needsBackup(ro) && !over(phaseOf(ro)) || failed(ro) && needsBackup(ro):
		return d.verdictWaiting(ro)
	case len(ro.Workloads) == 0:
		return verdict{
			ready: metav1.ConditionTrue, reason: v1alpha1.ReasonBackupCompleted,
			message: fmt.Sprintf("backup %s is Completed: the rollout may begin", ro.Backup.Name),
		}
	default:
		return d.verdictRolling(ro)
	}
}

// needsBackup says whether a rollout is not done before a backup is, although it holds nothing.
func needsBackup(ro *v1alpha1.Rollout) bool {
	return len(ro.Workloads) == 0 || startedUnheld(ro)
}

func verdictEnded(ro *v1alpha1.Rollout) verdict {
	v := verdict{ready: metav1.ConditionFalse}
	switch ro.Outcome {
	case v1alpha1.OutcomeRolledOut:
		v.ready, v.reason = metav1.ConditionTrue, v1alpha1.ReasonRolledOut
		v.message = fmt.Sprintf("%s rolled out", names(ro, v1alpha1.WorkloadRolledOut))
	case v1alpha1.OutcomeSuperseded:
		v.reason = v1alpha1.ReasonSuperseded
		v.message = fmt.Sprintf("a newer rollout took over %s", names(ro, v1alpha1.WorkloadSuperseded))
	case v1alpha1.OutcomeReverted:
		v.reason = v1alpha1.ReasonReverted
		v.message = fmt.Sprintf("the change of %s was taken back before it started", names(ro, v1alpha1.WorkloadReverted))
	default:
		v.reason = v1alpha1.ReasonAbandoned
		v.message = fmt.Sprintf("%s: gone, or not selected by the plan any more", names(ro, v1alpha1.WorkloadAbandoned))
	}
	return v
}

func (d *decider) verdictRolling(ro *v1alpha1.Rollout) verdict {
	v := verdict{ready: metav1.ConditionFalse, reason: v1alpha1.ReasonRollingOut, reconciling: true}
	v.message = fmt.Sprintf("%s: released and rolling out", names(ro, v1alpha1.WorkloadReleased))
	for i := range ro.Workloads {
		m := d.members[keyOf(&ro.Workloads[i])]
		if ro.Workloads[i].State == v1alpha1.WorkloadReleased && m != nil && m.Paused && !m.Held() {
			v.reason = v1alpha1.ReasonPaused
			v.message = fmt.Sprintf("%s is released, and paused by a user: resume it with kubectl rollout resume", m.Name)
		}
	}
	return v
}

// verdictWaiting says what a rollout waits for, since when, until when, and what can be done.
func (d *decider) verdictWaiting(ro *v1alpha1.Rollout) verdict {
	v := verdict{ready: metav1.ConditionFalse, reconciling: true}
	v.reason, v.message = d.backupState(ro)
	if v.reason == v1alpha1.ReasonBackupFailed {
		v.reconciling, v.stalled = false, true
	}
	if d.holds(ro) {
		v.message = fmt.Sprintf("%s: %s. %s", names(ro, v1alpha1.WorkloadHeld), v.message, d.holdTerms(ro))
	}
	return v
}

// backupState says how the backup of a rollout stands that is wanted.
func (d *decider) backupState(ro *v1alpha1.Rollout) (reason, message string) {
	if w, waits := d.waits[ro]; waits {
		return w.reason, w.message
	}
	if ro.Backup == nil {
		return v1alpha1.ReasonBackupPending, "the backup is about to be created"
	}
	b, name := d.in.Backups[ro.Backup.Name], ro.Backup.Name
	switch {
	case exhausted(d.plan, ro):
		return v1alpha1.ReasonBackupFailed, fmt.Sprintf("backup %s is %s after %d of %d attempts%s; mend the cause, then raise spec.gate.backupAttempts for another",
			name, ro.Backup.Phase, ro.Backup.Attempt, d.plan.Spec.Gate.BackupAttempts, failureText(b))
	case failed(ro):
		return v1alpha1.ReasonBackupRetrying, fmt.Sprintf("backup %s is %s, attempt %d of %d follows%s",
			name, ro.Backup.Phase, ro.Backup.Attempt+1, d.plan.Spec.Gate.BackupAttempts, failureText(b))
	case b != nil && !d.in.Now.Before(b.CreationTimestamp.Add(pickUpTime)) && ro.Backup.Phase == string(velerov1.BackupPhaseNew):
		return v1alpha1.ReasonVeleroNotResponding, fmt.Sprintf("Velero has not picked up backup %s: see that its server runs", name)
	case ro.Backup.Phase == string(velerov1.BackupPhaseQueued), ro.Backup.Phase == string(velerov1.BackupPhaseReadyToStart):
		return v1alpha1.ReasonBackupQueued, fmt.Sprintf("backup %s waits in Velero's queue", name)
	case ro.Backup.Phase == "" || ro.Backup.Phase == string(velerov1.BackupPhaseNew):
		return v1alpha1.ReasonBackupPending, fmt.Sprintf("waits for Velero to begin backup %s", name)
	case ro.Backup.Phase == string(velerov1.BackupPhaseCompleted):
		return v1alpha1.ReasonBackupCompleted, fmt.Sprintf("backup %s is Completed", name)
	default:
		return v1alpha1.ReasonBackupInProgress, fmt.Sprintf("Velero takes backup %s", name)
	}
}

func failureText(b *velerov1.Backup) string {
	if b == nil {
		return ""
	}
	parts := slices.DeleteFunc(append(slices.Clone(b.Status.ValidationErrors), b.Status.FailureReason), func(s string) bool { return s == "" })
	if len(parts) == 0 {
		return ""
	}
	const limit = 512
	text := []rune(": " + strings.Join(parts, "; "))
	return string(text[:min(len(text), limit)])
}

// holdTerms says since and until when a rollout is held, and how to override that.
func (d *decider) holdTerms(ro *v1alpha1.Rollout) string {
	var first *v1alpha1.RolloutWorkload
	for i := range ro.Workloads {
		rec := &ro.Workloads[i]
		if rec.State == v1alpha1.WorkloadHeld && rec.HeldSince != nil && (first == nil || rec.HeldSince.Before(first.HeldSince)) {
			first = rec
		}
	}
	if first == nil {
		return ""
	}
	const stamp = "2006-01-02T15:04:05Z"
	deadline := d.deadline(first).UTC().Format(stamp)
	until := fmt.Sprintf("Held since %s; at the deadline, %s, it is released without a backup", first.HeldSince.UTC().Format(stamp), deadline)
	if d.plan.Spec.Gate.OnDeadline != v1alpha1.DeadlineRelease {
		until = fmt.Sprintf("Held since %s, until the backup is Completed", first.HeldSince.UTC().Format(stamp))
		if d.pastDeadline(first) {
			until += fmt.Sprintf(" (the deadline was %s)", deadline)
		}
	}
	return fmt.Sprintf("%s. To start it without a backup: kubectl -n %s annotate %s %s %s='<why>'",
		until, d.in.Namespace, strings.ToLower(string(first.Kind)), first.Name, v1alpha1.AnnotationOverride)
}

// names lists the workloads of a rollout that are in a state; at most five.
func names(ro *v1alpha1.Rollout, state v1alpha1.WorkloadState) string {
	const limit = 5
	var out []string
	for _, rec := range ro.Workloads {
		if rec.State == state {
			out = append(out, rec.Name)
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

func idle(reason string) metav1.Condition {
	return metav1.Condition{Status: metav1.ConditionUnknown, Reason: reason, Message: "nothing of this release has rolled out"}
}

// backedUp is the BackedUp condition for the newest rollout.
func (d *decider) backedUp(ro *v1alpha1.Rollout, v verdict) metav1.Condition {
	switch {
	case phaseOf(ro) == string(velerov1.BackupPhaseCompleted):
		captured := "several versions, or a rollout in flight: it protects none"
		if ro.Backup.Version != "" {
			captured = "version " + ro.Backup.Version
		}
		return metav1.Condition{
			Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonBackupCompleted,
			Message: fmt.Sprintf("backup %s is Completed and captured %s", ro.Backup.Name, captured),
		}
	case open(ro) && (d.holds(ro) || needsBackup(ro)):
		reason, message := d.backupState(ro)
		return metav1.Condition{Status: metav1.ConditionFalse, Reason: reason, Message: message}
	default:
		return metav1.Condition{
			Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonNotBackedUp, Message: "no backup of the state before this rollout was completed",
		}
	}
}

// rolledOut is the RolledOut condition for the newest rollout.
func (d *decider) rolledOut(ro *v1alpha1.Rollout) metav1.Condition {
	c := metav1.Condition{Status: metav1.ConditionFalse}
	switch {
	case !open(ro):
		ended := verdictEnded(ro)
		c.Status, c.Reason, c.Message = ended.ready, ended.reason, ended.message
	case d.holds(ro):
		c.Reason, c.Message = v1alpha1.ReasonHeld, names(ro, v1alpha1.WorkloadHeld)+": held until the backup is Completed"
	case len(ro.Workloads) == 0:
		c.Reason, c.Message = v1alpha1.ReasonNotStarted, "no workload has changed yet"
	default:
		rolling := d.verdictRolling(ro)
		c.Reason, c.Message = rolling.reason, rolling.message
	}
	return c
}

// setConditions writes the conditions of a release; Reconciling and Stalled only while True.
func (d *decider) setConditions(r *release, v verdict, backedUp, rolledOut metav1.Condition) {
	r.status.ObservedGeneration = max(r.Generation, 1)
	backedUp.Type, rolledOut.Type = v1alpha1.ConditionBackedUp, v1alpha1.ConditionRolledOut
	set := conditionSetter{&r.status.Conditions, r.status.ObservedGeneration, d.now}
	set.set(metav1.Condition{Type: v1alpha1.ConditionReady, Status: v.ready, Reason: v.reason, Message: v.message})
	set.set(backedUp)
	set.set(rolledOut)
	set.whileTrue(v1alpha1.ConditionReconciling, v.reconciling, v.reason, v.message)
	set.whileTrue(v1alpha1.ConditionStalled, v.stalled, v.reason, v.message)
}

// conditionSetter sets conditions that all speak of one generation, at one time.
type conditionSetter struct {
	conditions *[]metav1.Condition
	generation int64
	now        metav1.Time
}

func (s conditionSetter) set(c metav1.Condition) {
	c.ObservedGeneration = s.generation
	c.LastTransitionTime = s.now
	meta.SetStatusCondition(s.conditions, c)
}

func (s conditionSetter) whileTrue(conditionType string, is bool, reason, message string) {
	if !is {
		meta.RemoveStatusCondition(s.conditions, conditionType)
		return
	}
	s.set(metav1.Condition{Type: conditionType, Status: metav1.ConditionTrue, Reason: reason, Message: message})
}
