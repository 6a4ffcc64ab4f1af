// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package status writes down what the facts and the records come to, for people and for tools: the conditions of releases and plans,
// their messages, what a plan remembers, and the events of what changed.
package status

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/drift"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/gate"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/running"
)

// section adds to the status of a plan what it speaks of, with the condition that sums that up, and when time alone changes it.
type section func(f *facts.Facts, book *records.Book, s *v1alpha1.DRPlanStatus) (metav1.Condition, time.Time)

// sections of the status of a plan, in the order in which they read one another. Ready sums them up and follows.
var sections = []section{drifted, protected, covered, proven}

// Plan is the status of a plan, and when it changes by itself. It rests on records that are stored: what it remembers must not outlive
// a record that was refused.
func Plan(f *facts.Facts, stored *records.Book, finding gate.Finding) (v1alpha1.DRPlanStatus, time.Time) {
	s := f.Plan.Status.DeepCopy()
	s.ObservedGeneration = f.Plan.Generation
	s.GateProof = finding.Proof
	set := conditionSetter{&s.Conditions, s.ObservedGeneration, f.At}
	set.set(finding.Condition)
	if !facts.TooMany(f.Members) {
		recordWorkloads(f, stored, s)
		recordDeparted(f, s)
	}
	until := recordHeld(f, stored, s)
	s.Versions.Planned = f.Plan.Spec.Version
	s.Versions.Running = drift.Summary(drift.Distinct(running.ServingVersions(f, stored)))
	for _, section := range sections {
		c, expires := section(f, stored, s)
		set.set(c)
		until = f.Sooner(until, expires)
	}
	ready := planReady(f, stored, s)
	set.set(metav1.Condition{Type: v1alpha1.ConditionReady, Status: ready.status, Reason: ready.reason, Message: ready.message})
	set.whileTrue(v1alpha1.ConditionReconciling, finding.Condition.Reason == v1alpha1.ReasonProbeNotHeld, finding.Condition.Reason, finding.Condition.Message)
	set.whileTrue(v1alpha1.ConditionStalled, ready.stalled, ready.reason, ready.message)
	fitPlan(s)
	return *s, until
}

func covered(*facts.Facts, *records.Book, *v1alpha1.DRPlanStatus) (metav1.Condition, time.Time) {
	const message = "whether every volume is in the backups is not checked by this version of Backstay"
	return notImplemented(v1alpha1.ConditionCovered, message), time.Time{}
}

func proven(*facts.Facts, *records.Book, *v1alpha1.DRPlanStatus) (metav1.Condition, time.Time) {
	return notImplemented(v1alpha1.ConditionProven, "this version of Backstay runs no restore drills"), time.Time{}
}

func notImplemented(conditionType, message string) metav1.Condition {
	return metav1.Condition{Type: conditionType, Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonNotImplemented, Message: message}
}
