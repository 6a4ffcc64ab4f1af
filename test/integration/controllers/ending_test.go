// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// Only here: the deletion leads to the plan, and the policies let the operator release what no plan holds.
func TestPlanDeletedWhileSomethingIsHeldReleasesIt(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.roll("web", "2")
	s.awaitBackup("shop-2", 0)
	s.mustBeHeld("web")
	s.delete(s.plan("shop"))
	s.awaitStarted("web", "2")
	s.warns(s.awaitEvent("Deployment", "web", "Admitted"), "the DRPlan that held it is gone")
	s.says(s.awaitReady("shop-2", v1alpha1.ReasonPlanNotFound).Message, "there is no DRPlan shop", "create it, or delete this release")
}

// Only here: the policies let the operator put the name of the other plan there.
func TestPlanDeletedReleasesNothingThatAnotherPlanHoldsToo(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.create(s.plan("zone"))
	s.awaitCondition(&v1alpha1.DRPlan{}, "zone", v1alpha1.ConditionGated, v1alpha1.ReasonOverlappingPlans, patience)
	s.roll("web", "2")
	s.awaitBackup("shop-2", 0)
	s.awaitMark("web", "shop") // the oldest of those that are as strict moves it
	s.delete(s.plan("shop"))
	s.awaitBackup("zone-2", 0)
	s.mustBeHeld("web")
	s.awaitMark("web", "zone")
	s.complete(s.awaitBackup("zone-2", 0))
	s.awaitStarted("web", "2")
}

// Only here: what was released is not held again by a policy that knows the old mode yet.
func TestModeChangedWhileHeldReleases(t *testing.T) {
	t.Parallel()
	for _, mode := range []v1alpha1.GateMode{v1alpha1.GateModeObserve, v1alpha1.GateModeDisabled} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.roll("web", "2")
			s.awaitBackup("shop-2", 0)
			s.mustBeHeld("web")
			s.patchPlan(fmt.Sprintf(`{"spec":{"gate":{"mode":%q}}}`, mode))
			s.awaitStarted("web", "2")
			s.warns(s.awaitEvent("Deployment", "web", "Admitted"), "the plan's gate does not hold any more")
			s.awaitReady("shop-2", v1alpha1.ReasonRolledOut)
			if got := s.release("shop-2").Status.Rollouts[0].Workloads[0].StartReason; got != v1alpha1.StartModeChanged {
				t.Errorf("it started because of %q", got)
			}
			s.awaitPlan(v1alpha1.ConditionGated, map[v1alpha1.GateMode]string{
				v1alpha1.GateModeObserve: v1alpha1.ReasonModeObserve, v1alpha1.GateModeDisabled: v1alpha1.ReasonModeDisabled,
			}[mode])
		})
	}
}

// Only here: the API server takes nothing new in that namespace, and the watch of namespaces leads to the plan.
func TestNothingIsBegunInANamespaceThatGoesAway(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.roll("web", "2")
	backup := s.awaitBackup("shop-2", 0)
	s.pass(backup, velerov1.BackupPhaseInProgress, nil)
	s.awaitReason("web", "reason="+v1alpha1.ReasonBackupInProgress) // nothing is due any more
	// Nothing finalizes namespaces here: it stays Terminating.
	s.delete(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}})
	s.await("Terminating", patience, func() (bool, any) {
		ns := &corev1.Namespace{}
		return s.see(ns, s.rootKey(s.namespace)) && ns.DeletionTimestamp != nil, ns
	})
	s.says(s.awaitPlan(v1alpha1.ConditionReady, v1alpha1.ReasonNamespaceTerminating).Message, "is being deleted", "what is held stays held")
	// A second attempt would follow ten seconds after the first, and Velero's namespace would take it.
	s.pass(backup, velerov1.BackupPhaseFailed, nil)
	s.keepsFor(13*time.Second, "nothing is begun", func() (bool, any) {
		return len(s.backups()) == 1, s.backups()
	})
	s.mustBeHeld("web")
}

// Only here: the deletion of a workload leads to the plan that selected it.
func TestWorkloadThatIsDeletedWhileHeldAbandonsItsRollout(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.roll("web", "2")
	s.pass(s.awaitBackup("shop-2", 0), velerov1.BackupPhaseQueued, nil)
	s.awaitReason("web", "reason="+v1alpha1.ReasonBackupQueued) // nothing is due any more
	s.delete(s.workload("web"))
	s.says(s.awaitReady("shop-2", v1alpha1.ReasonAbandoned).Message, "web: deleted, or no longer of this plan")
	s.create(s.deployment("web", "3"))
	s.awaitStarted("web", "3")
	s.awaitPlan(v1alpha1.ConditionReady, v1alpha1.ReasonReconciled)
	s.await("the new one is the baseline", patience, func() (bool, any) {
		v := s.current().Status.Versions
		return v.Running == "3", v
	})
	s.await("the backup is withdrawn: nobody waits for it any more, and Velero has not begun it", patience, func() (bool, any) {
		return len(s.backups()) == 0, s.backups()
	})
}

// Only here: the policies hold it, and lead to the plan that its mark names.
// A label is no way around the hold, and neither is a write that takes the label off together with its change.
func TestPromise1_HeldWorkloadThatLosesItsLabelsWaitsForItsBackup(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]string{
		"while held": fmt.Sprintf(`{"metadata":{"labels":{%q:null}}}`, partOf),
		"in the write that is held": fmt.Sprintf(
			`{"metadata":{"labels":{%q:null}},"spec":{"template":{"spec":{"containers":[{"name":"main","image":%q}]}}}}`, partOf, image("web", "2")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			if name == "while held" {
				s.roll("web", "2")
			}
			s.patch(&appsv1.Deployment{ObjectMeta: s.meta("web")}, change)
			backup := s.awaitBackup("shop-2", 0)
			s.mustBeHeld("web")
			s.complete(backup)
			s.awaitStarted("web", "2")
			// It is followed no further, unless it had rolled out when that was recorded.
			s.await("the rollout ended", patience, func() (bool, any) {
				ro := s.release("shop-2").Status.Rollouts[0]
				return ro.Outcome != "", ro
			})
			if why := s.release("shop-2").Status.Rollouts[0].Workloads[0].StartReason; why != v1alpha1.StartBackupCompleted {
				t.Errorf("it started because of %q, want its backup", why)
			}
			s.backupsAre(1)
		})
	}
}
