// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

func TestDrifted(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		planned string
		policy  v1alpha1.VersionPolicy
		running []string
		reason  string
		status  metav1.ConditionStatus
	}{
		"same":                         {"1.4.2", "", []string{"1.4.2"}, v1alpha1.ReasonInSync, metav1.ConditionFalse},
		"patch ahead, exact":           {"1.4.2", "", []string{"1.4.3"}, v1alpha1.ReasonVersionBehind, metav1.ConditionTrue},
		"patch ahead, patch tolerated": {"1.4.2", v1alpha1.VersionPolicyPatch, []string{"1.4.3"}, v1alpha1.ReasonInSync, metav1.ConditionFalse},
		"minor ahead, patch tolerated": {"1.4.2", v1alpha1.VersionPolicyPatch, []string{"1.5.0"}, v1alpha1.ReasonVersionBehind, metav1.ConditionTrue},
		"minor ahead, minor tolerated": {"1.4.2", v1alpha1.VersionPolicyMinor, []string{"1.5.0"}, v1alpha1.ReasonInSync, metav1.ConditionFalse},
		"major ahead, minor tolerated": {"1.4.2", v1alpha1.VersionPolicyMinor, []string{"2.0.0"}, v1alpha1.ReasonVersionBehind, metav1.ConditionTrue},
		"major ahead, major tolerated": {"1.4.2", v1alpha1.VersionPolicyMajor, []string{"2.0.0"}, v1alpha1.ReasonInSync, metav1.ConditionFalse},
		"the plan is ahead":            {"1.10.0", "", []string{"1.9.0"}, v1alpha1.ReasonVersionAhead, metav1.ConditionTrue},
		"no order":                     {"spring", "", []string{"summer"}, v1alpha1.ReasonVersionDiffers, metav1.ConditionTrue},
		"several versions":             {"1", "", []string{"1", "2"}, v1alpha1.ReasonMixedVersions, metav1.ConditionTrue},
		"a workload tells none":        {"1", "", []string{"1", "latest"}, v1alpha1.ReasonVersionUnknown, metav1.ConditionUnknown},
		"nothing planned":              {"", "", []string{"1"}, v1alpha1.ReasonNothingPlanned, metav1.ConditionUnknown},
		"the plan selects no workload": {"1", "", nil, v1alpha1.ReasonNoWorkloads, metav1.ConditionUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := emptyShop(t)
			for i, version := range tc.running {
				s.create(s.deployment([]string{"web", "api"}[i], version))
			}
			s.create(s.plan("shop", func(p *v1alpha1.DRPlan) { p.Spec.Version, p.Spec.VersionPolicy = tc.planned, tc.policy }))
			if got := s.awaitPlan(v1alpha1.ConditionDrifted, tc.reason); got.Status != tc.status {
				t.Errorf("Drifted=%s, want %s: %s", got.Status, tc.status, got.Message)
			}
			s.await("drift does not keep anybody from Ready", patience, func() (bool, any) {
				return s.awaitPlan(v1alpha1.ConditionReady, v1alpha1.ReasonReconciled).Status == metav1.ConditionTrue, nil
			})
		})
	}
}

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

// Not side by side with others: what is asked here is when.
func TestProtectedTurnsAtTheMomentTheBackupGetsTooOld(t *testing.T) {
	s := newShop(t, func(p *v1alpha1.DRPlan) { p.Spec.Objectives.RecoveryPointSeconds = 60 })
	s.awaitPlan(v1alpha1.ConditionProtected, v1alpha1.ReasonNoBackup)
	s.create(s.announce("next", "2", v1alpha1.IntentDeploy))
	backup := s.awaitBackup("next", 0)
	// As if the backup had taken almost the whole minute: the recovery point is when it began.
	began := time.Now().Truncate(time.Second).Add(-53 * time.Second)
	expires := began.Add(time.Minute)
	s.pass(backup, "InProgress", map[string]any{"startTimestamp": began.UTC().Format(time.RFC3339)})
	s.pass(backup, "Completed", nil)
	within := s.awaitPlan(v1alpha1.ConditionProtected, v1alpha1.ReasonWithinObjective)
	s.says(within.Message, backup, "until "+expires.UTC().Format(time.RFC3339))
	old := s.awaitPlan(v1alpha1.ConditionProtected, v1alpha1.ReasonBackupTooOld)
	seen := time.Now()
	s.says(old.Message, "older than the recovery point objective", "intent Deploy")
	if late := seen.Sub(expires); late < 0 || late > promptly {
		t.Errorf("it turned %s after the moment", late)
	}
	if lasted := s.current().Status.ProtectingBackup; lasted == nil || lasted.Name != backup {
		t.Errorf("the last backup is %s", show(lasted))
	}
}

func TestOverlappingPlansAreToldOnBothAndHealWhenOneGoes(t *testing.T) {
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
	s.delete(s.plan("zone"))
	s.awaitPlan(v1alpha1.ConditionReady, v1alpha1.ReasonReconciled)
}

func TestPlansThatStopOverlappingByTheirLabelsHeal(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.create(s.plan("zone"))
	s.awaitPlan(v1alpha1.ConditionReady, v1alpha1.ReasonOverlappingPlans)
	s.patch(s.plan("zone"), `{"spec":{"workloads":{"matchLabels":{"app.kubernetes.io/part-of":"zone"}}}}`)
	s.awaitPlan(v1alpha1.ConditionReady, v1alpha1.ReasonReconciled)
	s.awaitCondition(&v1alpha1.DRPlan{}, "zone", v1alpha1.ConditionReady, v1alpha1.ReasonReconciled, patience)
}

func TestConditionsAreThereFromTheFirstVisitOn(t *testing.T) {
	t.Parallel()
	s := emptyShop(t)
	s.create(s.plan("shop"))
	s.awaitPlan(v1alpha1.ConditionReady, v1alpha1.ReasonReconciled)
	want := map[string]string{
		v1alpha1.ConditionReady: v1alpha1.ReasonReconciled, v1alpha1.ConditionGated: v1alpha1.ReasonNoWorkloads,
		v1alpha1.ConditionDrifted: v1alpha1.ReasonNoWorkloads, v1alpha1.ConditionProtected: v1alpha1.ReasonNoBackup,
		v1alpha1.ConditionCovered: v1alpha1.ReasonNotImplemented, v1alpha1.ConditionProven: v1alpha1.ReasonNotImplemented,
	}
	p := s.current()
	for _, c := range p.Status.Conditions {
		if want[c.Type] != c.Reason || c.ObservedGeneration != p.Generation || c.Message == "" {
			t.Errorf("%s=%s %s (generation %d of %d): %q", c.Type, c.Status, c.Reason, c.ObservedGeneration, p.Generation, c.Message)
		}
		delete(want, c.Type)
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}

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
