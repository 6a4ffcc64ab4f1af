// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/printable"
	"github.com/backstay-dr/backstay/internal/records"
)

// setConditions writes the conditions of a release; Reconciling and Stalled only while True.
func setConditions(f *facts.Facts, r *records.Release, v verdict, backedUp, rolledOut metav1.Condition) {
	r.Wanted.ObservedGeneration = max(r.Generation, 1)
	backedUp.Type, rolledOut.Type = v1alpha1.ConditionBackedUp, v1alpha1.ConditionRolledOut
	set := conditionSetter{&r.Wanted.Conditions, r.Wanted.ObservedGeneration, f.At}
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
