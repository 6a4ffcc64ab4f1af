// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/gate"
	"github.com/backstay-dr/backstay/internal/plan"
	"github.com/backstay-dr/backstay/internal/velero"
	"github.com/backstay-dr/backstay/test/gen"
)

func (s *sim) planCondition(conditionType string) metav1.Condition {
	return conditionOf(s, s.plans[shop].Status.Conditions, conditionType)
}

func (s *sim) releaseCondition(name, conditionType string) metav1.Condition {
	if s.releases[name] == nil {
		s.Fatalf("there is no release %s", name)
	}
	return conditionOf(s, s.releases[name].Status.Conditions, conditionType)
}

func conditionOf(t testing.TB, conditions []metav1.Condition, conditionType string) metav1.Condition {
	t.Helper()
	c := meta.FindStatusCondition(conditions, conditionType)
	if c == nil {
		t.Fatalf("there is no condition %s", conditionType)
		return metav1.Condition{}
	}
	return *c
}

func mustBe(t testing.TB, c metav1.Condition, status metav1.ConditionStatus, reason string, texts ...string) {
	t.Helper()
	if c.Status != status || c.Reason != reason {
		t.Errorf("%s=%s %s, want %s %s: %s", c.Type, c.Status, c.Reason, status, reason, c.Message)
	}
	for _, text := range texts {
		if !strings.Contains(c.Message, text) {
			t.Errorf("%s does not say %q: %s", c.Type, text, c.Message)
		}
	}
}

// What escaped is told, and backed up again and again, until a backup holds it, though it rolled out long ago.
func TestEscapeIsToldUntilABackupHoldsIt(t *testing.T) {
	s := shopSim(t, "web")
	s.velero.endings = slices.Repeat([]velerov1.BackupPhase{velerov1.BackupPhasePartiallyFailed}, 5)
	s.gateUp = false
	s.set("web", "1.5.0")
	s.gateUp = true
	s.pass(2 * time.Minute)
	mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonEscaped, "see AppRelease shop-1.5.0")
	mustBe(t, s.releaseCondition("shop-1.5.0", v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonEscaped,
		"bypassed the gate", "the backup keeps failing", "To retry at once: kubectl -n ns annotate")
	mustBe(t, s.releaseCondition("shop-1.5.0", v1alpha1.ConditionStalled), metav1.ConditionTrue, v1alpha1.ReasonEscaped)
	mustBe(t, s.releaseCondition("shop-1.5.0", v1alpha1.ConditionRolledOut), metav1.ConditionTrue, v1alpha1.ReasonRolledOut)
	s.pass(10 * time.Minute)
	mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionTrue, v1alpha1.ReasonReconciled)
	mustBe(t, s.releaseCondition("shop-1.5.0", v1alpha1.ConditionReady), metav1.ConditionTrue, v1alpha1.ReasonRolledOut)
}

func TestPlanOfTooManyWorkloadsTellsItsReleasesAndWhatIsHeld(t *testing.T) {
	s := shopSim(t, workloadNames(v1alpha1.MaxWorkloads+1)...)
	s.createRelease(gen.Release(shop, "1.5.0", gen.Deploy()))
	s.set("w000", "1.5.0")
	s.pass(aWhile)
	mustBe(t, s.releaseCondition("shop-1.5.0", v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonTooManyWorkloads, "split it")
	for _, other := range []string{v1alpha1.ConditionBackedUp, v1alpha1.ConditionRolledOut} {
		mustBe(t, s.releaseCondition("shop-1.5.0", other), metav1.ConditionUnknown, v1alpha1.ReasonTooManyWorkloads)
	}
	if st := s.plans[shop].Status; st.HeldCount != 1 || st.Held[0].Name != "w000" {
		t.Errorf("held: %d %v", st.HeldCount, st.Held)
	}
}

func workloadNames(n int) []string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("w%03d", i))
	}
	return names
}

// A version that CI records needs no backup, whatever the gate.
func TestGateDisabledStallsOnlyWhatAsksForABackup(t *testing.T) {
	s := shopSim(t, "web")
	s.editPlan(shop, gen.Mode(v1alpha1.GateModeDisabled))
	s.createRelease(gen.Release(shop, "1.5.0"))
	s.createRelease(gen.Release(shop, "1.6.0", gen.Deploy()))
	s.pass(moment)
	mustBe(t, s.releaseCondition("shop-1.5.0", v1alpha1.ConditionReady), metav1.ConditionTrue, v1alpha1.ReasonRecorded)
	mustBe(t, s.releaseCondition("shop-1.6.0", v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonGateDisabled)
	mustBe(t, s.releaseCondition("shop-1.6.0", v1alpha1.ConditionStalled), metav1.ConditionTrue, v1alpha1.ReasonGateDisabled)
}

// Nothing more comes of a rollout that was taken back: tools that wait for Ready (kstatus) must not wait for ever.
func TestRolloutThatCameToNothingIsStalled(t *testing.T) {
	s := shopSim(t, "web")
	s.velero.down = true
	s.set("web", "1.5.0")
	s.pass(moment)
	s.set("web", "1.4.2")
	s.pass(moment)
	mustBe(t, s.releaseCondition("shop-1.5.0", v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonReverted)
	mustBe(t, s.releaseCondition("shop-1.5.0", v1alpha1.ConditionStalled), metav1.ConditionTrue, v1alpha1.ReasonReverted)
}

// What its plan's deletion leaves behind says so, and does not deny what was.
func TestReleaseWithoutAPlanDeniesNothing(t *testing.T) {
	s := shopSim(t, "web")
	s.set("web", "1.5.0")
	s.pass(aWhile)
	s.deletePlan(shop)
	s.pass(moment)
	for _, other := range []string{v1alpha1.ConditionBackedUp, v1alpha1.ConditionRolledOut} {
		mustBe(t, s.releaseCondition("shop-1.5.0", other), metav1.ConditionUnknown, v1alpha1.ReasonPlanNotFound, "there is no DRPlan shop")
	}
}

// What escaped is backed up with the next rollout. That stays so when Velero deletes the backup in the end.
func TestEscapeThatWasBackedUpSinceIsNotToldAgain(t *testing.T) {
	s := shopSim(t, "web")
	s.editPlan(shop, gen.BackupAttempts(1))
	s.gateUp = false
	s.velero.endings = slices.Repeat([]velerov1.BackupPhase{velerov1.BackupPhaseFailed}, 2)
	s.set("web", "1.5.0")
	s.pass(8 * time.Second)
	s.gateUp = true
	s.editPlan(shop)
	s.pass(moment)
	mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonEscaped)
	s.set("web", "1.6.0")
	s.pass(aWhile)
	s.remember()
	clear(s.backups)
	s.tell()
	s.pass(aWhile)
	mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionTrue, v1alpha1.ReasonReconciled)
}

// A Velero that is gone, or that is looked for in the wrong namespace, is told before the first rollout needs it.
func TestPlanThatCannotBeBackedUpSaysSoThoughNothingIsHeld(t *testing.T) {
	s := shopSim(t, "web")
	s.setLocation(velerov1.BackupStorageLocationPhaseUnavailable)
	s.pass(moment)
	mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonStorageLocationUnavailable,
		"no backup can be taken: BackupStorageLocation main is Unavailable")
	s.setLocation(velerov1.BackupStorageLocationPhaseAvailable)
	s.pass(moment)
	mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionTrue, v1alpha1.ReasonReconciled)
	s.remember()
	s.location = gen.Location("main", gen.DefaultLocation())
	s.location.Status.LastValidationTime = &metav1.Time{Time: s.now.Add(-10 * time.Minute).Truncate(time.Second)}
	s.tell()
	s.pass(moment)
	mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonVeleroNotResponding,
		"Velero has validated no storage location since 2026-03-01T08:50:14Z")
	s.editPlan(shop, gen.Mode(v1alpha1.GateModeDisabled))
	s.pass(moment)
	mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionTrue, v1alpha1.ReasonReconciled)
}

// A --velero-namespace without Velero in it has no storage location.
func TestPlanSaysThatVeleroIsNowhere(t *testing.T) {
	in := facts.Input{
		Now: epoch, Cluster: "c", Namespace: ns, Name: shop, Plan: gen.Plan(shop),
		LocationProblem: velero.LocationProblem(nil, "", ns),
	}
	finding, _ := gate.Assess(plan.GateSubject(in), gate.Installed{Served: true})
	mustBe(t, conditionOf(t, plan.Decide(in, finding).Plan.Conditions, v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonStorageLocationUnavailable,
		"Velero has no default BackupStorageLocation")
}
