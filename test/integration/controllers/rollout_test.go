// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// Only here: the whole road, with the policies that ship and all that is watched.
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

// Only here: the defaults that the API server fills in make no difference between templates.
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
