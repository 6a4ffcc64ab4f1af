// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"strings"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/printable"
)

// report writes the conditions of every release.
func (d *decider) report() {
	for _, r := range d.releases {
		if r.duplicate {
			d.reportDuplicate(r)
			continue
		}
		if len(r.status.Rollouts) == 0 || announces(r) {
			d.setUnknown(r, d.verdictIdle(r), v1alpha1.ReasonNotStarted, "nothing of this release has rolled out")
			continue
		}
		ro := course{&r.status.Rollouts[0], r}
		d.setConditions(r, d.verdict(ro), d.backedUpCondition(ro), d.rolledOutCondition(ro))
	}
}

// reportUnfollowed says of every release why nothing of it is followed.
func (d *decider) reportUnfollowed(v verdict) {
	for _, r := range d.releases {
		d.setUnknown(r, v, v.reason, v.message)
	}
}

func (d *decider) verdictPlanNotFound() verdict {
	return verdict{
		ready: metav1.ConditionFalse, reason: v1alpha1.ReasonPlanNotFound,
		message: fmt.Sprintf("there is no DRPlan %s in namespace %s: create it, or delete this release", d.in.Name, d.in.Namespace),
	}
}

func (d *decider) verdictTooManyWorkloads() verdict {
	return verdict{
		ready: metav1.ConditionFalse, reason: v1alpha1.ReasonTooManyWorkloads, stalled: true,
		message: fmt.Sprintf("DRPlan %s selects more than %d workloads, and no rollout of it is followed: split it", d.in.Name, v1alpha1.MaxWorkloads),
	}
}

func (d *decider) reportDuplicate(r *release) {
	v := verdict{ready: metav1.ConditionFalse, reason: v1alpha1.ReasonDuplicate, stalled: true}
	for _, first := range d.primaries() {
		if first.Spec.Version != r.Spec.Version {
			continue
		}
		v.message = fmt.Sprintf("this one duplicates AppRelease %s, which is of version %s too, and does nothing: delete it. "+
			"To announce a rollout of that version: %s", first.Name, r.Spec.Version, d.announceHint(first))
	}
	d.setUnknown(r, v, v1alpha1.ReasonDuplicate, v.message)
}

// setUnknown writes the conditions of a release of which no rollout tells.
func (d *decider) setUnknown(r *release, v verdict, reason, message string) {
	unknown := metav1.Condition{Status: metav1.ConditionUnknown, Reason: reason, Message: message}
	d.setConditions(r, v, unknown, unknown)
}

// backedUpCondition is the BackedUp condition for the newest rollout.
func (d *decider) backedUpCondition(ro course) metav1.Condition {
	switch {
	case phaseOf(ro.Rollout) == string(velerov1.BackupPhaseCompleted) && !backupFailed(ro.Rollout):
		captured := "several versions, or a rollout in flight: it protects none"
		if ro.Backup.Version != "" {
			captured = "version " + ro.Backup.Version
		}
		return metav1.Condition{
			Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonBackupCompleted,
			Message: fmt.Sprintf("backup %s is Completed and captured %s", ro.Backup.Name, captured),
		}
	case open(ro.Rollout) && d.needsBackup(ro.Rollout):
		w := d.backupState(ro)
		return metav1.Condition{Status: metav1.ConditionFalse, Reason: w.reason, Message: w.message}
	default:
		return metav1.Condition{
			Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonNotBackedUp, Message: "no backup of the state before this rollout was completed",
		}
	}
}

// rolledOutCondition is the RolledOut condition for the newest rollout.
func (d *decider) rolledOutCondition(ro course) metav1.Condition {
	c := metav1.Condition{Status: metav1.ConditionFalse}
	switch {
	case !open(ro.Rollout):
		ended := verdictEnded(ro.Rollout)
		c.Status, c.Reason, c.Message = ended.ready, ended.reason, ended.message
	case namesWhere(ro.Rollout, rolloutFailed) != "":
		rolling := d.verdictFailed(ro)
		c.Reason, c.Message = rolling.reason, rolling.message
	case allRolledOut(ro.Rollout):
		c.Status, c.Reason = metav1.ConditionTrue, v1alpha1.ReasonRolledOut
		c.Message = names(ro.Rollout, v1alpha1.WorkloadRolledOut) + " rolled out" + unprotected(ro.Rollout)
	case holds(ro.Rollout):
		c.Reason, c.Message = v1alpha1.ReasonHeld, names(ro.Rollout, v1alpha1.WorkloadHeld)+": held until the backup is Completed"
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
	c.Message = bound(c.Message)
	meta.SetStatusCondition(s.conditions, c)
}

func (s conditionSetter) whileTrue(conditionType string, is bool, reason, message string) {
	if !is {
		meta.RemoveStatusCondition(s.conditions, conditionType)
		return
	}
	s.set(metav1.Condition{Type: conditionType, Status: metav1.ConditionTrue, Reason: reason, Message: message})
}

// bound makes a message printable, whatever it quotes, and cuts it to what people read and a condition may hold, with room to
// spare.
func bound(message string) string {
	const limit = 2048
	text := printable.Text(message)
	return strings.ToValidUTF8(text[:min(len(text), limit)], "")
}
