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
)

// planReady is the Ready condition of a plan, and whether nothing changes before a person acts.
func (d *decider) planReady(s *v1alpha1.DRPlanStatus) (metav1.Condition, bool) {
	c := metav1.Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse}
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
	if r := d.unprotectedEscape(); r != nil {
		c.Reason = v1alpha1.ReasonEscaped
		c.Message = fmt.Sprintf("a rollout of %s started without having been held; its backup is not Completed yet: see AppRelease %s", r.Spec.Version, r.Name)
		return c, false
	}
	if gated := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionGated); gated != nil && d.mode() == v1alpha1.GateModeHold &&
		gated.Status == metav1.ConditionFalse {
		c.Reason, c.Message = gated.Reason, gated.Message
		return c, false
	}
	for _, h := range s.Held {
		if h.Reason == v1alpha1.ReasonBackupFailed {
			c.Reason = v1alpha1.ReasonBackupFailed
			c.Message = fmt.Sprintf("%s is held and every attempt at its backup failed: see AppRelease %s", h.Name, h.Release)
			return c, false
		}
	}
	c.Status, c.Reason, c.Message = metav1.ConditionTrue, v1alpha1.ReasonReconciled, heldText(s.Held)
	if len(s.Workloads) == 0 {
		c.Message = "no workload carries the labels of spec.workloads.matchLabels"
	}
	return c, false
}

func heldText(held []v1alpha1.HeldWorkload) string {
	if len(held) == 0 {
		return "nothing is held"
	}
	h := held[0]
	text := fmt.Sprintf("%s waits for the backup of release %s (%s)", h.Name, h.Release, h.Reason)
	switch {
	case h.Reason == v1alpha1.ReasonRestored:
		text = h.Name + " was restored as it was held, and starts nothing: put the revision back that ran " +
			"(AppRelease, previousRevision), or change or override it"
	case h.Reason == v1alpha1.ReasonReleasePending:
		text = h.Name + " is held, and no AppRelease records it yet: if that lasts, an event on this plan says why"
	case h.Release == "":
		text = h.Name + " is held for another plan"
	}
	if more := len(held) - 1; more > 0 {
		text = fmt.Sprintf("%s, and %d more", text, more)
	}
	return text
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

// unprotectedEscape finds a release of which something escaped, and whose backup is not Completed.
func (d *decider) unprotectedEscape() *release {
	for _, r := range d.primaries() {
		if len(r.status.Rollouts) > 0 && open(&r.status.Rollouts[0]) && escaped(&r.status.Rollouts[0]) &&
			phaseOf(&r.status.Rollouts[0]) != string(velerov1.BackupPhaseCompleted) {
			return r
		}
	}
	return nil
}
