// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/rule"
)

// readiness is the Ready condition of a plan.
type readiness struct {
	status          metav1.ConditionStatus
	reason, message string

	// stalled says that nothing changes before a person acts.
	stalled bool
}

// problem finds one thing that keeps a plan from being Ready; "" where it does not.
type problem func(f *facts.Facts, book *records.Book, s *v1alpha1.DRPlanStatus) (reason, message string)

// problems of a plan, those first that hide the others, then the worst.
var problems = []problem{
	terminating, tooManyWorkloads, overlapping, escapedUnprotected, rolloutFailed, gateNotInForce, overdue, waitsForAPerson, storageProblem,
}

// planReady sums up the status of a plan.
func planReady(f *facts.Facts, book *records.Book, s *v1alpha1.DRPlanStatus) readiness {
	for _, problem := range problems {
		if reason, message := problem(f, book, s); reason != "" {
			return readiness{metav1.ConditionFalse, reason, message, reason == v1alpha1.ReasonTooManyWorkloads}
		}
	}
	if len(s.Workloads) == 0 {
		return readiness{metav1.ConditionTrue, v1alpha1.ReasonReconciled, "no workload carries the labels of spec.workloads.matchLabels", false}
	}
	return readiness{metav1.ConditionTrue, v1alpha1.ReasonReconciled, heldText(f, s.Held), false}
}

func terminating(f *facts.Facts, _ *records.Book, _ *v1alpha1.DRPlanStatus) (reason, message string) {
	if !f.Terminating {
		return "", ""
	}
	return v1alpha1.ReasonNamespaceTerminating, "the namespace is being deleted: no backup is begun, and what is held stays held"
}

func tooManyWorkloads(f *facts.Facts, _ *records.Book, _ *v1alpha1.DRPlanStatus) (reason, message string) {
	if !facts.TooMany(f.Members) {
		return "", ""
	}
	return v1alpha1.ReasonTooManyWorkloads, fmt.Sprintf("the plan selects more than %d workloads; what is held stays held: "+
		"split it into plans of fewer workloads", v1alpha1.MaxWorkloads)
}

func overlapping(f *facts.Facts, _ *records.Book, _ *v1alpha1.DRPlanStatus) (reason, message string) {
	text := facts.Overlap(f.Members)
	if text == "" {
		return "", ""
	}
	return v1alpha1.ReasonOverlappingPlans, text
}

func escapedUnprotected(f *facts.Facts, book *records.Book, _ *v1alpha1.DRPlanStatus) (reason, message string) {
	for ro := range book.Rollouts() {
		if rule.UnprotectedEscape(f, book, ro) {
			return v1alpha1.ReasonEscaped, fmt.Sprintf("a rollout of %s bypassed the gate, and no backup since is Completed: see AppRelease %s",
				ro.Of.Spec.Version, ro.Of.Name)
		}
	}
	return "", ""
}

func rolloutFailed(_ *facts.Facts, book *records.Book, _ *v1alpha1.DRPlanStatus) (reason, message string) {
	for ro := range book.Rollouts() {
		if records.IsOpen(ro.Rollout) && records.NamesWhere(ro.Rollout, records.RolloutFailed) != "" {
			return v1alpha1.ReasonRolloutFailed, fmt.Sprintf("the rollout of %s failed: see AppRelease %s. %s",
				ro.Of.Spec.Version, ro.Of.Name, stateBefore(ro.Rollout))
		}
	}
	return "", ""
}

func gateNotInForce(f *facts.Facts, _ *records.Book, s *v1alpha1.DRPlanStatus) (reason, message string) {
	gated := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionGated)
	if gated == nil || f.Mode() != v1alpha1.GateModeHold || gated.Status != metav1.ConditionFalse {
		return "", ""
	}
	return gated.Reason, gated.Message
}

func overdue(f *facts.Facts, book *records.Book, s *v1alpha1.DRPlanStatus) (reason, message string) {
	text := overdueText(f, book, s.Held)
	if text == "" {
		return "", ""
	}
	return v1alpha1.ReasonDeadlinePassed, text
}

func waitsForAPerson(f *facts.Facts, _ *records.Book, s *v1alpha1.DRPlanStatus) (reason, message string) {
	h := heldForAPerson(f, s.Held)
	if h == nil {
		return "", ""
	}
	return h.Reason, heldText(f, []v1alpha1.HeldWorkload{*h})
}

// storageProblem says why the plan cannot be backed up now, before a rollout needs it: nothing else would tell of a Velero
// that is gone, or that is looked for in the wrong namespace.
func storageProblem(f *facts.Facts, _ *records.Book, _ *v1alpha1.DRPlanStatus) (reason, message string) {
	switch {
	case f.Mode() == v1alpha1.GateModeDisabled:
		return "", ""
	case f.LocationProblem != "":
		return v1alpha1.ReasonStorageLocationUnavailable, "no backup can be taken: " + f.LocationProblem
	case !f.VeleroSilentSince.IsZero():
		return v1alpha1.ReasonVeleroNotResponding, fmt.Sprintf("Velero has validated no storage location since %s: "+
			"see that its server runs. A rollout would be held until it does", f.VeleroSilentSince.UTC().Format(rule.Stamp))
	default:
		return "", ""
	}
}
