// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/drift"
	"github.com/backstay-dr/backstay/internal/gate"
)

// tellPlan adds to a decision the status of the plan, if it differs from what is stored, and when it changes by itself.
func (d *decider) tellPlan(finding gate.Finding, out *Decision) {
	out.wakeAfter(finding.RetryAfter)
	if finding.Condition.Type == "" {
		return // it is being found out
	}
	status := d.status(finding)
	out.wakeAfter(d.out.RequeueAfter)
	if equality.Semantic.DeepEqual(d.in.Plan.Status, status) {
		return
	}
	out.Plan, out.PlanSettles = &status, d.settles()
	if out.PlanSettles {
		out.wakeAfter(settleTime)
	}
}

// status derives the status of the plan.
func (d *decider) status(finding gate.Finding) v1alpha1.DRPlanStatus {
	in := d.in
	s := in.Plan.Status.DeepCopy()
	s.ObservedGeneration = in.Plan.Generation
	s.GateProof = finding.Proof
	set := conditionSetter{&s.Conditions, s.ObservedGeneration, d.now}
	set.set(finding.Condition)
	if !tooMany(in.Members) {
		d.recordWorkloads(s)
		d.recordDeparted(s)
	}
	d.recordHeld(s)
	running := d.servingVersions()
	s.Versions.Planned = in.Plan.Spec.Version
	s.Versions.Running = drift.Summary(drift.Distinct(running))
	set.set(d.drifted(running))
	d.recordProtection(s, set)
	set.set(notImplemented(v1alpha1.ConditionCovered, "whether every volume is in the backups is not checked by this version of Backstay"))
	set.set(notImplemented(v1alpha1.ConditionProven, "this version of Backstay runs no restore drills"))
	ready, stalled := d.planReady(s)
	set.set(ready)
	set.whileTrue(v1alpha1.ConditionReconciling, finding.Condition.Reason == v1alpha1.ReasonProbeNotHeld, finding.Condition.Reason, finding.Condition.Message)
	set.whileTrue(v1alpha1.ConditionStalled, stalled, ready.Reason, ready.Message)
	fitPlan(s)
	return *s
}

func notImplemented(conditionType, message string) metav1.Condition {
	return metav1.Condition{Type: conditionType, Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonNotImplemented, Message: message}
}

// drifted is the Drifted condition.
func (d *decider) drifted(running []drift.Version) metav1.Condition {
	planned := d.plan.Spec.Version
	f := drift.Compare(planned, d.plan.Spec.VersionPolicy, running)
	runs := drift.Summary(drift.Distinct(running))
	message := map[string]string{
		v1alpha1.ReasonNoWorkloads:    "no workload carries the labels of spec.workloads.matchLabels",
		v1alpha1.ReasonVersionUnknown: "cannot determine the version of some workloads: label their pod templates with app.kubernetes.io/version",
		v1alpha1.ReasonMixedVersions:  "the workloads run several versions: " + runs,
		v1alpha1.ReasonNothingPlanned: "the plan names no version and none is proven yet: set spec.version",
		v1alpha1.ReasonInSync:         fmt.Sprintf("planned %s, running %s", planned, runs),
		v1alpha1.ReasonVersionBehind:  fmt.Sprintf("the plan was written for %s, and %s runs: review the plan and set spec.version", planned, runs),
		v1alpha1.ReasonVersionAhead:   fmt.Sprintf("the plan was written for %s, and only %s runs: roll it out, or set spec.version back", planned, runs),
		v1alpha1.ReasonVersionDiffers: fmt.Sprintf("the plan was written for %s, and %s runs: review the plan and set spec.version", planned, runs),
	}[f.Reason]
	return metav1.Condition{Type: v1alpha1.ConditionDrifted, Status: f.Status, Reason: f.Reason, Message: message}
}
