// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/integration/stage"
)

// Only here: a timer, and the loss of a location, lead to plans of which nothing changed.
// One control plane of its own, since Velero is silent for everybody. Nothing is held, and nothing happens but that time
// passes.
func TestPlanSaysThatVeleroIsGoneBeforeARolloutNeedsIt(t *testing.T) {
	t.Parallel()
	on, _ := newStage(t)
	s := newShopOn(t, on)
	s.awaitPlan(v1alpha1.ConditionReady, v1alpha1.ReasonReconciled)
	soon := time.Now().Add(-10*time.Minute + 4*time.Second).UTC()
	if err := on.PatchStatus(s.Context(), stage.Location(stage.DefaultLocation), map[string]any{"lastValidationTime": soon.Format(time.RFC3339)}); err != nil {
		t.Fatal(err)
	}
	s.says(s.awaitPlan(v1alpha1.ConditionReady, v1alpha1.ReasonVeleroNotResponding).Message,
		"Velero has validated no storage location since "+soon.Format(time.RFC3339), "see that its server runs")
	if err := on.ValidateLocation(s.Context(), stage.DefaultLocation); err != nil {
		t.Fatal(err)
	}
	s.awaitPlan(v1alpha1.ConditionReady, v1alpha1.ReasonReconciled)

	s.delete(stage.Location(stage.DefaultLocation)) // as where --velero-namespace is wrong
	ready := s.awaitPlan(v1alpha1.ConditionReady, v1alpha1.ReasonStorageLocationUnavailable)
	s.says(ready.Message, "Velero has no default BackupStorageLocation")
	if ready.Status != metav1.ConditionFalse {
		t.Errorf("Ready is %s", ready.Status)
	}
}
