// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"maps"
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/gen"
)

// rolledOut is a shop in which 1.5.0 was rolled out to "web", and that Deployment as the backup before it holds it: held.
func rolledOut(t *testing.T) (*sim, *appsv1.Deployment) {
	t.Helper()
	s := shopSim(t, "api", "web")
	s.set("web", "1.5.0")
	s.pass(moment)
	inBackup := s.deployments["web"].DeepCopy()
	s.pass(aWhile)
	s.mustRun("web", "1.5.0")
	inBackup.Status, inBackup.Generation = appsv1.DeploymentStatus{}, 1
	return s, inBackup
}

// lost is such a shop whose plan, release and workload are gone.
func lost(t *testing.T) (*sim, *appsv1.Deployment) {
	t.Helper()
	s, inBackup := rolledOut(t)
	s.deletePlan(shop)
	s.deleteRelease("shop-1.5.0")
	s.deleteDeployment("web")
	s.pass(moment)
	return s, inBackup
}

// A restore brings a workload back as the backup holds it: with the change that was held.
func TestRestoredWorkloadStaysHeldUntilAPersonActs(t *testing.T) {
	s, inBackup := rolledOut(t)
	s.deleteDeployment("web")
	s.createDeployment(inBackup)
	s.pass(aWhile)
	v := view(s.deployments["web"])
	if !v.Held() {
		t.Fatal("the operator let go what was restored")
	}
	s.edit("web", "autoscaler", gen.Replicas(3)) // is no other template
	s.pass(aWhile)
	s.mustHold("web")
	held := s.plans[shop].Status.Held
	if len(held) != 1 || held[0].Reason != v1alpha1.ReasonRestored || held[0].Since == nil {
		t.Errorf("the plan lists as held %+v", held)
	}
	mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonRestored, "put the revision back that ran")
	s.set("web", "1.4.2")
	s.pass(aWhile)
	s.mustRun("web", "1.4.2")
}

// The namespace was lost. Velero restores Deployments before plans: what is held by a plan that is not there (yet) is not
// what a deleted plan leaves behind.
func TestPromise1_RestoredWorkloadIsNotLetGoForWantOfItsPlan(t *testing.T) {
	s, inBackup := lost(t)
	s.createDeployment(inBackup)
	s.pass(moment)
	s.mustHold("web")
	if restored := s.op.restored; len(restored) == 0 || restored[0] != "web" {
		t.Errorf("nobody is told: %v", restored)
	}
	s.createPlan(gen.Plan(shop, gen.Planned("1.4.2")))
	s.pass(aWhile)
	s.mustHold("web")
	mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonRestored)
}

// Nor is it let go since its plan does not hold: then the state before the change is put back without a wait.
func TestPromise1_RestoredWorkloadIsNotLetGoByAnotherMode(t *testing.T) {
	for _, mode := range []v1alpha1.GateMode{v1alpha1.GateModeObserve, v1alpha1.GateModeDisabled} {
		t.Run(string(mode), func(t *testing.T) {
			s, inBackup := rolledOut(t)
			s.editPlan(shop, gen.Mode(mode))
			s.deleteDeployment("web")
			s.pass(moment)
			s.createDeployment(inBackup)
			s.pass(aWhile)
			s.mustHold("web")
			s.set("web", "1.4.2")
			s.pass(moment)
			s.mustRun("web", "1.4.2")
		})
	}
}

// An autoscaler may be quicker than an operator that was down during the restore.
func TestPromise1_RestoredWorkloadThatWasScaledSinceStaysHeld(t *testing.T) {
	s, inBackup := rolledOut(t)
	s.op.down = true
	s.deleteDeployment("web")
	inBackup.Labels = with(inBackup.Labels, velerov1.RestoreNameLabel, "the-bad-day")
	s.createDeployment(inBackup)
	s.edit("web", "autoscaler", gen.Replicas(3))
	s.op.down = false
	s.op.restart()
	s.pass(aWhile)
	s.mustHold("web")
	mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonRestored)
	s.set("web", "1.4.2")
	s.pass(aWhile)
	s.mustRun("web", "1.4.2")
	s.set("web", "1.6.0") // the label stays, and means nothing any more
	s.pass(aWhile)
	s.mustRun("web", "1.6.0")
}

func with(labels map[string]string, key, value string) map[string]string {
	out := maps.Clone(labels)
	out[key] = value
	return out
}

// A restore brings releases back without their status. They rolled out long ago: they announce nothing.
func TestRestoredReleasesAnnounceNothing(t *testing.T) {
	s := shopSim(t, "web")
	for _, version := range []string{"1.3.0", "1.4.1", "1.4.2"} {
		r := gen.Release(shop, version, gen.Deploy())
		r.Labels = map[string]string{velerov1.RestoreNameLabel: "the-bad-day"}
		s.createRelease(r)
	}
	s.pass(time.Minute)
	s.mustHaveBackups(0)
	mustBe(t, s.releaseCondition("shop-1.4.2", v1alpha1.ConditionReady), metav1.ConditionTrue, v1alpha1.ReasonRecorded)
}

// restoredBefore is a shop whose "web" came from a restore long ago: Velero's label stays.
func restoredBefore(t *testing.T) *sim {
	t.Helper()
	s := newSim(t)
	d := gen.Deployment("web", gen.Runs("1.4.2"))
	d.Labels = with(d.Labels, velerov1.RestoreNameLabel, "migration-last-year")
	s.createDeployment(d)
	s.pass(time.Minute)
	s.now = s.now.Add(48 * time.Hour)
	return s
}

func TestOldLabelOfARestoreHoldsNothing(t *testing.T) {
	t.Run("plan and change come together", func(t *testing.T) {
		s := restoredBefore(t)
		s.op.down = true
		s.createPlan(gen.Plan(shop, gen.Planned("1.4.2")))
		s.set("web", "1.5.0")
		s.op.down = false
		s.op.restart()
		s.pass(aWhile)
		s.mustRun("web", "1.5.0")
	})
	t.Run("plan and releases are deleted together", func(t *testing.T) {
		s := restoredBefore(t)
		s.createPlan(gen.Plan(shop, gen.Planned("1.4.2")))
		s.pass(time.Minute)
		s.velero.down = true
		s.set("web", "1.5.0")
		s.pass(moment)
		s.op.down = true
		s.deletePlan(shop)
		s.deleteRelease("shop-1.5.0")
		s.op.down = false
		s.op.restart()
		s.pass(moment)
		s.mustRun("web", "1.5.0")
	})
}

// Whoever puts the template back that runs has done what was asked for, though the plan comes later.
func TestRestoredWorkloadIsFreeWhenItsTemplateIsPutBack(t *testing.T) {
	s, inBackup := lost(t)
	inBackup.Labels = with(inBackup.Labels, velerov1.RestoreNameLabel, "the-bad-day")
	s.createDeployment(inBackup)
	old := s.deployments["web"].DeepCopy()
	gen.ApplyToDeployment(old, gen.Runs("1.4.2"))
	set := gen.ReplicaSet(old, 1, 1, s.now) // Velero restores it too
	s.storeSet(set)
	s.pass(moment)
	s.mustHold("web")
	s.set("web", "1.4.2")
	s.pass(moment)
	s.createPlan(gen.Plan(shop, gen.Planned("1.4.2")))
	s.pass(aWhile)
	s.mustRun("web", "1.4.2")
}
