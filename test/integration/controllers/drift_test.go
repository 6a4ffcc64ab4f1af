// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// Only here: the watches of workloads and plans lead to the condition.
func TestDriftFollowsARolloutAndANewPlan(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.awaitPlan(v1alpha1.ConditionDrifted, v1alpha1.ReasonInSync)
	s.roll("web", "2")
	backup := s.awaitBackup("shop-2", 0)
	s.awaitPlanHeldFor(v1alpha1.ReasonBackupPending)
	s.awaitPlan(v1alpha1.ConditionDrifted, v1alpha1.ReasonInSync) // what is held does not run
	s.complete(backup)
	s.says(s.awaitPlan(v1alpha1.ConditionDrifted, v1alpha1.ReasonVersionDiffers).Message, "written for 1, and 2 runs", "set spec.version")
	s.patchPlan(`{"spec":{"version":"2"}}`)
	s.awaitPlan(v1alpha1.ConditionDrifted, v1alpha1.ReasonInSync)
}

// Only here: a plan that comes, goes or changes its labels leads to the others that select the same, or did.
func TestOverlappingPlansAreToldOnBothAndHeal(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.create(s.plan("zone"))
	for name, other := range map[string]string{"shop": "zone", "zone": "shop"} {
		c := s.awaitCondition(&v1alpha1.DRPlan{}, name, v1alpha1.ConditionReady, v1alpha1.ReasonOverlappingPlans, patience)
		s.says(c.Message, "web (also in "+other+")", "Narrow spec.workloads.matchLabels")
	}
	// Only one of them moves it, and it is backed up once.
	s.roll("web", "2")
	s.complete(s.awaitBackup("shop-2", 0))
	s.awaitStarted("web", "2")
	s.awaitReady("shop-2", v1alpha1.ReasonRolledOut)
	s.backupsAre(1)
	s.patch(s.plan("zone"), `{"spec":{"workloads":{"matchLabels":{"app.kubernetes.io/part-of":"zone"}}}}`)
	s.awaitPlan(v1alpha1.ConditionReady, v1alpha1.ReasonReconciled)
	s.awaitCondition(&v1alpha1.DRPlan{}, "zone", v1alpha1.ConditionReady, v1alpha1.ReasonReconciled, patience)
	s.patch(s.plan("zone"), `{"spec":{"workloads":{"matchLabels":{"app.kubernetes.io/part-of":"shop"}}}}`)
	s.awaitPlan(v1alpha1.ConditionReady, v1alpha1.ReasonOverlappingPlans)
	s.delete(s.plan("zone"))
	s.awaitPlan(v1alpha1.ConditionReady, v1alpha1.ReasonReconciled)
}

// Only here: a dry run, as the API server carries it out.
func TestProbeStoresNothing(t *testing.T) {
	t.Parallel()
	s := emptyShop(t)
	s.create(s.deployment("web", "1"))
	s.await("rolled out", patience, func() (bool, any) {
		d := &appsv1.Deployment{}
		return s.see(d, s.key("web")) && d.Status.UpdatedReplicas == 1, d
	})
	before := s.workload("web")
	s.create(s.plan("shop"))
	s.says(s.awaitPlan(v1alpha1.ConditionGated, v1alpha1.ReasonProbeHeld).Message, "came back held")
	if after := s.workload("web"); after.ResourceVersion != before.ResourceVersion || after.Spec.Paused {
		t.Errorf("the probe changed the Deployment: resourceVersion %s, then %s", before.ResourceVersion, after.ResourceVersion)
	}
}
