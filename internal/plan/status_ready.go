// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"strings"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/velero"
)

// planReady is the Ready condition of a plan, and whether nothing changes before a person acts.
func (d *decider) planReady(s *v1alpha1.DRPlanStatus) (metav1.Condition, bool) {
	c := metav1.Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse}
	if d.in.Terminating {
		c.Reason, c.Message = v1alpha1.ReasonNamespaceTerminating, terminatingText
		return c, false
	}
	if tooMany(d.in.Members) {
		c.Reason = v1alpha1.ReasonTooManyWorkloads
		c.Message = fmt.Sprintf("the plan selects more than %d workloads; what is held stays held: "+
			"split it into plans of fewer workloads", v1alpha1.MaxWorkloads)
		return c, true
	}
	if text := overlap(d.in.Members); text != "" {
		c.Reason, c.Message = v1alpha1.ReasonOverlappingPlans, text
		return c, false
	}
	if r := d.releaseOfEscape(); r != nil {
		c.Reason = v1alpha1.ReasonEscaped
		c.Message = fmt.Sprintf("a rollout of %s bypassed the gate, and no backup since is Completed: see AppRelease %s", r.Spec.Version, r.Name)
		return c, false
	}
	if ro, found := d.releaseOfFailure(); found {
		c.Reason = v1alpha1.ReasonRolloutFailed
		c.Message = fmt.Sprintf("the rollout of %s failed: see AppRelease %s. %s", ro.of.Spec.Version, ro.of.Name, stateBefore(ro.Rollout))
		return c, false
	}
	if gated := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionGated); gated != nil && d.mode() == v1alpha1.GateModeHold &&
		gated.Status == metav1.ConditionFalse {
		c.Reason, c.Message = gated.Reason, gated.Message
		return c, false
	}
	if text := d.overdueText(s.Held); text != "" {
		c.Reason, c.Message = v1alpha1.ReasonDeadlinePassed, text
		return c, false
	}
	if h := d.heldForAPerson(s.Held); h != nil {
		c.Reason, c.Message = h.Reason, d.heldText([]v1alpha1.HeldWorkload{*h})
		return c, false
	}
	if reason, text := d.storageProblem(); text != "" {
		c.Reason, c.Message = reason, text
		return c, false
	}
	c.Status, c.Reason, c.Message = metav1.ConditionTrue, v1alpha1.ReasonReconciled, d.heldText(s.Held)
	if len(s.Workloads) == 0 {
		c.Message = "no workload carries the labels of spec.workloads.matchLabels"
	}
	return c, false
}

// storageProblem says why the plan cannot be backed up now, before a rollout needs it: nothing else would tell of a Velero
// that is gone, or that is looked for in the wrong namespace.
func (d *decider) storageProblem() (reason, message string) {
	switch {
	case d.mode() == v1alpha1.GateModeDisabled:
		return "", ""
	case d.in.LocationProblem != "":
		return v1alpha1.ReasonStorageLocationUnavailable, "no backup can be taken: " + d.in.LocationProblem
	case !d.in.VeleroSilentSince.IsZero():
		return v1alpha1.ReasonVeleroNotResponding, fmt.Sprintf("Velero has validated no storage location since %s: "+
			"see that its server runs. A rollout would be held until it does", d.in.VeleroSilentSince.UTC().Format(stamp))
	default:
		return "", ""
	}
}

const terminatingText = "the namespace is being deleted: no backup is begun, and what is held stays held"

func (d *decider) heldText(held []v1alpha1.HeldWorkload) string {
	if len(held) == 0 {
		return "nothing is held"
	}
	h := held[0]
	text := fmt.Sprintf("%s waits for the backup of release %s (%s)", h.Name, h.Release, h.Reason)
	switch {
	case h.Reason == v1alpha1.ReasonBackupFailed:
		text = fmt.Sprintf("%s is held and its backup keeps failing: see AppRelease %s", h.Name, h.Release)
	case h.Reason == v1alpha1.ReasonRestored:
		text = h.Name + " was restored while held and will not start: put the revision back that ran " +
			"(AppRelease, previousRevision), or change or override it"
	case h.Reason == v1alpha1.ReasonNotRecorded:
		text = fmt.Sprintf("%s is held since %s, and no AppRelease records it yet: if that lasts, an event on this plan says why. %s",
			h.Name, h.Since.UTC().Format(stamp), d.overrideHint(h.Kind, h.Name))
	case h.Release == "":
		text = h.Name + " is held for another plan"
	}
	if more := len(held) - 1; more > 0 {
		text = fmt.Sprintf("%s, and %d more", text, more)
	}
	return text
}

// heldForAPerson finds what is held until a person acts.
func (d *decider) heldForAPerson(held []v1alpha1.HeldWorkload) *v1alpha1.HeldWorkload {
	for i := range held {
		switch h := &held[i]; h.Reason {
		case v1alpha1.ReasonBackupFailed, v1alpha1.ReasonRestored:
			return h
		case v1alpha1.ReasonNotRecorded:
			lasts := h.Since.Add(pickUpTime)
			if !d.in.Now.Before(lasts) {
				return h
			}
			d.wake(lasts)
		}
	}
	return nil
}

// overlap tells which workloads are selected by other plans too.
func overlap(members []Member) string {
	const limit = 3
	var shared []string
	for i := range members {
		if m := &members[i]; m.Selected && len(m.SharedWith) > 0 {
			shared = append(shared, fmt.Sprintf("%s (also in %s)", m.Name, strings.Join(m.SharedWith, ", ")))
		}
	}
	if len(shared) == 0 {
		return ""
	}
	more := ""
	if n := len(shared) - limit; n > 0 {
		shared, more = shared[:limit], fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("workloads are selected by several plans: %s%s. Narrow spec.workloads.matchLabels, so that each belongs to one plan",
		strings.Join(shared, ", "), more)
}

// releaseOfEscape finds a release of which something escaped that no backup holds yet.
func (d *decider) releaseOfEscape() *release {
	for ro := range d.courses() {
		if d.unprotectedEscape(ro) {
			return ro.of
		}
	}
	return nil
}

// unprotectedEscape reports whether something of a rollout escaped, and what it left is in no backup that is Completed. What
// runs by now may be another rollout's.
func (d *decider) unprotectedEscape(ro course) bool {
	if !escaped(ro.Rollout) || ro.Outcome == v1alpha1.OutcomeSuperseded || ro.Outcome == v1alpha1.OutcomeAbandoned {
		return false
	}
	if phaseOf(ro.Rollout) == string(velerov1.BackupPhaseCompleted) && !backupFailed(ro.Rollout) {
		return false
	}
	return ro.AdmittedTime == nil || !d.backedUpSince(ro.AdmittedTime.Time)
}

// backedUpSince reports whether a backup that began after a time is Completed, or was: Velero deletes it in the end.
func (d *decider) backedUpSince(at time.Time) bool {
	for _, b := range d.in.Backups {
		if velero.StateOf(b) == velero.Completed && createdAt(b).After(at) {
			return true
		}
	}
	for ro := range d.courses() {
		if b := ro.Backup; b != nil && b.FailureTime == nil && b.Phase == string(velerov1.BackupPhaseCompleted) &&
			b.StartTime != nil && b.StartTime.After(at) {
			return true
		}
	}
	return false
}
