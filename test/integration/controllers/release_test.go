// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// Only here: the CRD lets the intent change, and the API server counts that change.
// CI records a build, and the step that deploys it announces that release: nothing else need be created.
func TestRecordThenDeployBacksUpAhead(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.create(s.announce("build-7", "2", v1alpha1.IntentRecord))
	s.awaitReady("build-7", v1alpha1.ReasonRecorded)
	s.patch(s.release("build-7"), `{"spec":{"intent":"Deploy"}}`)
	backup := s.awaitBackup("build-7", 0)
	s.complete(backup)
	ready := s.awaitReady("build-7", v1alpha1.ReasonBackupCompleted)
	s.says(ready.Message, backup, "the rollout may begin")
	if ready.Status != metav1.ConditionTrue {
		t.Error("who waits for Ready before deploying waits for ever")
	}
	s.roll("web", "2")
	s.awaitStarted("web", "2")
	s.awaitReady("build-7", v1alpha1.ReasonRolledOut)
	s.backupsAre(1)
}

// Only here: a plan that comes leads to the releases that wait for it.
func TestReleaseBeforeItsPlan(t *testing.T) {
	t.Parallel()
	s := emptyShop(t)
	s.create(s.announce("next", "2", v1alpha1.IntentDeploy))
	s.says(s.awaitReady("next", v1alpha1.ReasonPlanNotFound).Message, "there is no DRPlan shop in namespace "+s.namespace)
	s.create(s.deployment("web", "1"))
	s.create(s.plan("shop"))
	s.complete(s.awaitBackup("next", 0))
	s.awaitReady("next", v1alpha1.ReasonBackupCompleted)
}
