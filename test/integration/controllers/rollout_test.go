// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

func TestRolloutWaitsForItsBackup(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	before := s.sets("web")
	s.roll("web", "2")
	backup := s.awaitBackup("shop-2", 0)
	s.mustBeHeld("web")
	if diff := cmp.Diff(before, s.sets("web")); diff != "" {
		t.Fatalf("a revision started while it was held (-before +now):\n%s", diff)
	}
	s.complete(backup)
	s.awaitStarted("web", "2")
	s.awaitReady("shop-2", v1alpha1.ReasonRolledOut)
	ro := s.release("shop-2").Status.Rollouts[0]
	if ro.Outcome != v1alpha1.OutcomeRolledOut || ro.PreviousVersion != "1" || ro.Workloads[0].StartReason != v1alpha1.StartBackupCompleted ||
		ro.Workloads[0].PreviousRevision != before[0] || ro.Backup.Version != "1" {
		t.Errorf("the rollout is not told as it was: %s", show(ro))
	}
	s.await("the plan tells it", patience, func() (bool, any) {
		v := s.current().Status.Versions
		return v == v1alpha1.Versions{Planned: "1", Running: "2", Protected: "1"}, v
	})
	s.backupsAre(1)
}

func TestWhatIsHeldIsToldOnThePlan(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.roll("web", "2")
	backup := s.awaitBackup("shop-2", 0)
	s.await("held on the plan", patience, func() (bool, any) {
		st := s.current().Status
		ok := st.HeldCount == 1 && len(st.Held) == 1 && st.Held[0].Release == "shop-2" && st.Held[0].Version == "2" &&
			st.Held[0].Since != nil && st.Held[0].Until != nil
		return ok, st.Held
	})
	s.complete(backup)
	s.awaitReady("shop-2", v1alpha1.ReasonRolledOut)
	s.await("nothing held", patience, func() (bool, any) {
		st := s.current().Status
		return st.HeldCount == 0 && len(st.Held) == 0, st.Held
	})
}

// sets are the names of the ReplicaSets of a Deployment.
func (s *shop) sets(name string) []string {
	s.Helper()
	list := &appsv1.ReplicaSetList{}
	if err := s.stage.Live.List(s.Context(), list, client.InNamespace(s.namespace), client.MatchingLabels{"app": name}); err != nil {
		s.Fatal(err)
	}
	var names []string
	for i := range list.Items {
		names = append(names, list.Items[i].Name)
	}
	return names
}

func TestThreeDeploymentsChangedTogetherAreOneReleaseAndOneBackup(t *testing.T) {
	t.Parallel()
	s := emptyShop(t)
	three := []string{"web", "api", "worker"}
	for _, name := range three {
		s.create(s.deployment(name, "1"))
	}
	s.create(s.plan("shop"))
	s.awaitSettled("shop")
	for _, name := range three {
		s.roll(name, "2")
	}
	s.await("all three recorded", patience, func() (bool, any) {
		r := &v1alpha1.AppRelease{}
		return s.see(r, s.key("shop-2")) && len(r.Status.Rollouts) == 1 && len(r.Status.Rollouts[0].Workloads) == 3, r
	})
	s.complete(s.awaitBackup("shop-2", 0))
	for _, name := range three {
		s.awaitStarted(name, "2")
	}
	s.awaitReady("shop-2", v1alpha1.ReasonRolledOut)
	s.backupsAre(1)
	if got := s.releases(); len(got) != 1 {
		t.Errorf("releases: %v", got)
	}
}

func TestRepeatedEditsOfOneVersionAreOneRollout(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.roll("web", "2")
	backup := s.awaitBackup("shop-2", 0)
	s.patch(&appsv1.Deployment{ObjectMeta: s.meta("web")}, `{"spec":{"template":{"spec":{"terminationGracePeriodSeconds":7}}}}`)
	s.patch(&appsv1.Deployment{ObjectMeta: s.meta("web")}, `{"spec":{"template":{"spec":{"terminationGracePeriodSeconds":8}}}}`)
	s.complete(backup)
	s.awaitStarted("web", "2")
	s.awaitReady("shop-2", v1alpha1.ReasonRolledOut)
	if n := len(s.release("shop-2").Status.Rollouts); n != 1 {
		t.Errorf("%d rollouts, want one", n)
	}
	s.backupsAre(1)
}

func TestAnotherVersionWhileHeldTakesTheBackupOver(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.roll("web", "2")
	backup := s.awaitBackup("shop-2", 0)
	s.roll("web", "3")
	if again := s.awaitBackup("shop-3", 0); again != backup {
		t.Errorf("a second backup %s, though nothing started since %s", again, backup)
	}
	s.awaitReady("shop-2", v1alpha1.ReasonSuperseded)
	s.mustBeHeld("web")
	s.complete(backup)
	s.awaitStarted("web", "3")
	s.awaitReady("shop-3", v1alpha1.ReasonRolledOut)
	s.backupsAre(1)
}

func TestRevertWhileHeldIsReleasedAtOnceWithoutItsBackup(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.roll("web", "2")
	s.awaitBackup("shop-2", 0)
	s.mustBeHeld("web")
	s.roll("web", "1")
	s.awaitStarted("web", "1")
	s.awaitReady("shop-2", v1alpha1.ReasonReverted)
	s.says(s.awaitEvent("Deployment", "web", "Admitted").Note, "last admitted")
}

func TestRollbackToAnOlderVersionIsASecondRolloutOfItsRelease(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.rollOut("web", "2")
	s.rollOut("web", "3")
	s.roll("web", "2")
	s.await("second rollout", patience, func() (bool, any) {
		r := s.release("shop-2")
		return len(r.Status.Rollouts) == 2 && r.Status.Rollouts[0].Backup != nil, r
	})
	s.mustBeHeld("web")
	s.complete(s.awaitBackup("shop-2", 0))
	s.awaitStarted("web", "2")
	s.awaitReady("shop-2", v1alpha1.ReasonRolledOut)
	ro := s.release("shop-2").Status.Rollouts
	if ro[0].Number != 2 || ro[1].Number != 1 || ro[0].PreviousVersion != "3" || ro[0].Backup.Version != "3" {
		t.Errorf("rollouts: %s", show(ro))
	}
	s.backupsAre(3)
}

func TestReconcilingOnlyWhileItGoesOn(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.roll("web", "2")
	s.awaitBackup("shop-2", 0)
	if !meta.IsStatusConditionTrue(s.release("shop-2").Status.Conditions, v1alpha1.ConditionReconciling) {
		t.Error("a release that waits is not Reconciling")
	}
	s.complete(s.awaitBackup("shop-2", 0))
	s.awaitReady("shop-2", v1alpha1.ReasonRolledOut)
	if c := meta.FindStatusCondition(s.release("shop-2").Status.Conditions, v1alpha1.ConditionReconciling); c != nil {
		t.Errorf("still there: %v", c)
	}
}
