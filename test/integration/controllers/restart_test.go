// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/gate"
	"github.com/backstay-dr/backstay/test/integration/stage"
)

// Only here: an operator that starts with empty caches, on what came while it was down.
// The tests of one control plane follow each other: each stops the operator of all.
func TestOperatorThatIsDownDelaysAndLosesNothing(t *testing.T) {
	t.Parallel()
	on, op := newStage(t)
	down := func(s *shop, meanwhile func()) {
		s.Helper()
		if err := op.Stop(); err != nil {
			s.Fatal(err)
		}
		meanwhile()
		var err error
		if op, err = on.StartOperator(t.Context()); err != nil {
			s.Fatal(err)
		}
	}
	t.Run("changed while down", func(t *testing.T) {
		s := newShopOn(t, on)
		down(s, func() { s.roll("web", "2"); s.mustBeHeld("web") })
		s.complete(s.awaitBackup("shop-2", 0))
		s.awaitStarted("web", "2")
		s.backupsAre(1)
	})
	t.Run("backup Completed while down", func(t *testing.T) {
		s := newShopOn(t, on)
		s.roll("web", "2")
		backup := s.awaitBackup("shop-2", 0)
		down(s, func() { s.complete(backup); s.mustBeHeld("web") })
		s.awaitStarted("web", "2")
		s.awaitReady("shop-2", v1alpha1.ReasonRolledOut)
		s.backupsAre(1)
	})
	t.Run("plan deleted while down", func(t *testing.T) {
		s := newShopOn(t, on)
		s.roll("web", "2")
		s.awaitBackup("shop-2", 0)
		down(s, func() { s.delete(s.plan("shop")); s.mustBeHeld("web") })
		s.awaitStarted("web", "2")
		s.awaitReady("shop-2", v1alpha1.ReasonPlanNotFound)
	})
	t.Run("the gate need not be proven again", func(t *testing.T) {
		s := newShopOn(t, on)
		proof := s.current().Status.GateProof
		down(s, func() {})
		s.roll("web", "2")
		s.complete(s.awaitBackup("shop-2", 0))
		s.awaitReady("shop-2", v1alpha1.ReasonRolledOut)
		if again := s.current().Status.GateProof; again != proof {
			t.Errorf("the proof was %s and is %s", proof, again)
		}
		if n := op.Traffic.Counts()[stage.Call{Verb: "patch", Resource: "deployments", DryRun: true}]; n != 0 {
			t.Errorf("%d probes after a restart that changed nothing", n)
		}
	})
}

// Only here: the election of a leader.
func TestSecondOperatorWaitsAndTakesOver(t *testing.T) {
	t.Parallel()
	on, first := newStage(t)
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	elect := func(o *ctrl.Options) {
		lease, renew, retry := 4*time.Second, 3*time.Second, 200*time.Millisecond
		o.LeaderElection, o.LeaderElectionID, o.LeaderElectionNamespace = true, "backstay.dr.backstay.dev", gate.DefaultIdentity().Namespace
		o.LeaderElectionReleaseOnCancel = true
		o.LeaseDuration, o.RenewDeadline, o.RetryPeriod = &lease, &renew, &retry
	}
	var operators [2]*stage.Operator
	for i := range operators {
		op, err := on.NewOperator(t.Context(), elect)
		if err != nil {
			t.Fatal(err)
		}
		op.Start(t.Context())
		if i == 0 {
			<-op.Manager.Elected()
		}
		operators[i] = op
	}
	s := newShopOn(t, on)
	s.roll("web", "2")
	backup := s.awaitBackup("shop-2", 0)
	select {
	case <-operators[1].Manager.Elected():
		t.Fatal("two operators work at the same time")
	default:
	}
	for call, n := range operators[1].Traffic.Counts() {
		if call.Writes() && call.Resource != "leases" {
			t.Errorf("the one that waits writes: %s (%d)", call, n)
		}
	}
	if err := operators[0].Stop(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-operators[1].Manager.Elected():
	case <-time.After(patience):
		t.Fatal("the second operator does not take over")
	}
	s.complete(backup)
	s.awaitStarted("web", "2")
	s.awaitReady("shop-2", v1alpha1.ReasonRolledOut)
	s.backupsAre(1)
	lease := &coordinationv1.Lease{}
	s.read(lease, client.ObjectKey{Namespace: gate.DefaultIdentity().Namespace, Name: "backstay.dr.backstay.dev"})
	if got := fmt.Sprint(*lease.Spec.LeaseTransitions); got == "0" {
		t.Errorf("the lease changed hands %s times", got)
	}
	if refused := operators[1].Traffic.Forbidden(); len(refused) > 0 {
		t.Errorf("refused: %v", refused)
	}
}
