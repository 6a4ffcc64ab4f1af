// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/gen"
)

// Tools read conditions of a plan that nobody has deployed anything for yet.
func TestConditionsAreThereFromTheFirstVisitOn(t *testing.T) {
	s := newSim(t)
	s.createPlan(gen.Plan(shop))
	s.settle()
	want := map[string]string{
		v1alpha1.ConditionReady: v1alpha1.ReasonReconciled, v1alpha1.ConditionGated: v1alpha1.ReasonNoWorkloads,
		v1alpha1.ConditionDrifted: v1alpha1.ReasonNoWorkloads, v1alpha1.ConditionProtected: v1alpha1.ReasonNoBackup,
		v1alpha1.ConditionCovered: v1alpha1.ReasonNotImplemented, v1alpha1.ConditionProven: v1alpha1.ReasonNotImplemented,
	}
	for _, c := range s.plans[shop].Status.Conditions {
		if want[c.Type] != c.Reason || c.ObservedGeneration != s.plans[shop].Generation || c.Message == "" {
			t.Errorf("%s=%s %s (generation %d): %q", c.Type, c.Status, c.Reason, c.ObservedGeneration, c.Message)
		}
		delete(want, c.Type)
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}

func TestReconcilingOnlyWhileItGoesOn(t *testing.T) {
	s := shopSim(t, "web")
	s.set("web", "1.5.0")
	s.settle()
	mustBe(t, s.releaseCondition("shop-1.5.0", v1alpha1.ConditionReconciling), metav1.ConditionTrue, v1alpha1.ReasonBackupPending)
	s.pass(aWhile)
	if c := meta.FindStatusCondition(s.releases["shop-1.5.0"].Status.Conditions, v1alpha1.ConditionReconciling); c != nil {
		t.Errorf("still there: %v", c)
	}
}

// Nothing happens in that moment but that time passes.
func TestProtectedTurnsAtTheMomentTheBackupGetsTooOld(t *testing.T) {
	s := shopSim(t, "web")
	s.editPlan(shop, gen.RecoveryPoint(60))
	s.createRelease(gen.Release(shop, "1.5.0", gen.Deploy()))
	s.pass(aWhile)
	mustBe(t, s.planCondition(v1alpha1.ConditionProtected), metav1.ConditionTrue, v1alpha1.ReasonWithinObjective)
	b := s.rollout("shop-1.5.0", 0).Backup
	s.pass(b.StartTime.Add(time.Minute).Sub(s.now) - time.Second)
	mustBe(t, s.planCondition(v1alpha1.ConditionProtected), metav1.ConditionTrue, v1alpha1.ReasonWithinObjective)
	s.pass(time.Second)
	mustBe(t, s.planCondition(v1alpha1.ConditionProtected), metav1.ConditionFalse, v1alpha1.ReasonBackupTooOld,
		"older than the recovery point objective", "intent Deploy")
}

// No backup can be created, and what needs none is let go all the same.
func TestRefusedBackupKeepsNothingWaitingThatNeedsNone(t *testing.T) {
	s := shopSim(t, "web")
	s.editPlan(shop, gen.Deadline(60, v1alpha1.DeadlineRelease))
	s.op.refuses = func(obj client.Object) bool { _, is := obj.(*velerov1.Backup); return is }
	s.set("web", "1.5.0")
	s.pass(moment)
	s.mustHold("web")
	s.set("web", "1.4.2")
	s.pass(moment)
	s.mustRun("web", "1.4.2")
	s.set("web", "1.6.0")
	s.pass(2 * time.Minute)
	s.mustRun("web", "1.6.0")
	if why := s.rollout("shop-1.6.0", 0).Workloads[0].StartReason; why != v1alpha1.StartDeadlinePassed {
		t.Errorf("it is recorded as %s", why)
	}
}

func TestDuplicateStandsForTheVersionWhenTheFirstIsGone(t *testing.T) {
	s := shopSim(t, "web")
	s.createRelease(gen.Release(shop, "1.5.0", gen.Named("build-7")))
	s.pass(moment)
	s.createRelease(gen.Release(shop, "1.5.0", gen.Deploy()))
	s.pass(aWhile)
	mustBe(t, s.releaseCondition("shop-1.5.0", v1alpha1.ConditionStalled), metav1.ConditionTrue, v1alpha1.ReasonDuplicate)
	s.mustHaveBackups(0)
	s.deleteRelease("build-7")
	s.pass(aWhile)
	mustBe(t, s.releaseCondition("shop-1.5.0", v1alpha1.ConditionReady), metav1.ConditionTrue, v1alpha1.ReasonBackupCompleted)
}
