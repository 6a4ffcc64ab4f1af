// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// Messages quote errors of the API server, and those what others wrote.
func TestStatusShowsNothingThatIsNotPrintable(t *testing.T) {
	const hostile, shown = "den\u202eied\u009b: \u200bno", `den\u202eied\u009b: \u200bno`
	var conditions []metav1.Condition
	set := conditionSetter{&conditions, 1, metav1.Now()}
	set.set(metav1.Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: "X", Message: hostile})
	set.whileTrue(v1alpha1.ConditionStalled, true, "X", hostile)
	for _, conditionType := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionStalled} {
		if c := meta.FindStatusCondition(conditions, conditionType); c == nil || c.Message != shown {
			t.Errorf("%s: %+v", conditionType, c)
		}
	}
}
