// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"testing"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/ledger"
	"github.com/backstay-dr/backstay/test/integration/stage"
)

// Only here: RBAC and the policy let the operator delete a Backup that Velero has not begun.
func TestQueuedBackupOfARevertedRolloutIsWithdrawn(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.roll("web", "2")
	backup := s.awaitBackup("shop-2", 0)
	s.pass(backup, velerov1.BackupPhaseQueued, nil)
	s.roll("web", "1")
	s.awaitReady("shop-2", v1alpha1.ReasonReverted)
	s.await("the backup is withdrawn", patience, func() (bool, any) {
		b := &velerov1.Backup{}
		return !s.see(b, client.ObjectKey{Namespace: stage.VeleroNamespace, Name: backup}), b
	})
	s.awaitEvent("AppRelease", "shop-2", "BackupWithdrawn")
}

// Only here: the end of a backup leads to the other plans of its namespace.
// The plans of a namespace share its place in Velero's queue, and the end of one backup is the turn of the next.
func TestPlansOfANamespaceShareItsBackups(t *testing.T) {
	t.Parallel()
	const plans = ledger.MaxUnderWay + 2
	s := emptyShop(t)
	for i := range plans {
		app := fmt.Sprintf("app%d", i)
		d := s.deployment(app, "1")
		d.Labels = map[string]string{"team": app}
		s.create(d)
		s.create(s.plan(app, func(p *v1alpha1.DRPlan) {
			p.Spec.Workloads.MatchLabels = map[string]v1alpha1.LabelValue{"team": v1alpha1.LabelValue(app)}
		}))
	}
	for i := range plans {
		s.awaitSettled(fmt.Sprintf("app%d", i))
	}
	for i := range plans {
		s.roll(fmt.Sprintf("app%d", i), "2")
	}
	for i := range plans {
		s.awaitReason(fmt.Sprintf("app%d", i), "reason=") // those that wait look again of themselves in a minute, and not before
	}
	for done := range plans {
		want := min(ledger.MaxUnderWay, plans-done)
		var names []string
		s.await(fmt.Sprintf("%d backups under way after %d", want, done), patience, func() (bool, any) {
			names = s.underWay()
			return len(names) >= want, names
		})
		if len(names) > ledger.MaxUnderWay {
			t.Errorf("%d backups are under way: %v", len(names), names)
		}
		s.complete(names[0])
	}
	for i := range plans {
		s.awaitStarted(fmt.Sprintf("app%d", i), "2")
	}
}

// underWay names the backups of the namespace that are not over.
func (s *shop) underWay() []string {
	s.Helper()
	list := &velerov1.BackupList{}
	if err := s.stage.Live.List(s.Context(), list, client.MatchingLabels{v1alpha1.LabelNamespace: s.namespace}); err != nil {
		s.Fatal(err)
	}
	var names []string
	for i := range list.Items {
		if list.Items[i].Status.Phase == "" {
			names = append(names, list.Items[i].Name)
		}
	}
	return names
}
