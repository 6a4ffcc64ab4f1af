// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/workload"
	"github.com/backstay-dr/backstay/test/gen"
)

// Two releases whose backups are both Completed: the start of the one voids the backup of the other. That both start
// unprotected at once is what the world's own rule catches.
func TestPromise1_OneDecisionStartsOneRollout(t *testing.T) {
	s := shopSim(t, "api", "web")
	s.createRelease(gen.Release(shop, "1.5.0", gen.Deploy()))
	s.createRelease(gen.Release(shop, "1.6.0", gen.Deploy()))
	s.pass(aWhile)
	s.set("api", "1.5.0")
	s.set("web", "1.6.0")
	s.pass(aWhile)
	s.mustRun("api", "1.5.0")
	s.mustRun("web", "1.6.0")
	if n := len(s.backups); n != 3 {
		t.Errorf("there are %d backups, want one for each and another for the one that came second", n)
	}
}

// A pause of the user must not turn a release into a permit that never expires.
func TestPromise1_WhatAUserPausedIsJudgedWhenItIsResumed(t *testing.T) {
	s := shopSim(t, "api", "web")
	s.edit("web", "user", gen.Paused())
	s.pass(moment)
	s.set("web", "1.5.0")
	s.pass(aWhile)
	s.set("api", "1.6.0")
	s.pass(aWhile)
	s.mustRun("api", "1.6.0")
	before := len(s.backups)
	s.edit("web", "user", resume())
	s.pass(aWhile)
	s.mustRun("web", "1.5.0")
	if len(s.backups) != before+1 {
		t.Errorf("%d backups more, want one: 1.6.0 of api has started since the last", len(s.backups)-before)
	}
}

// What is deleted and created again has started something: a backup from before does not hold it.
func TestPromise1_WorkloadCreatedAgainVoidsTheBackup(t *testing.T) {
	for name, begin := range map[string]func(*sim){
		"taken ahead": func(s *sim) { s.createRelease(gen.Release(shop, "1.5.0", gen.Deploy())); s.pass(aWhile) },
		"under way":   func(s *sim) { s.velero.duration = 10 * time.Second; s.set("web", "1.5.0"); s.pass(4 * time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			s := shopSim(t, "api", "web")
			begin(s)
			s.deleteDeployment("api")
			s.createDeployment(gen.Deployment("api", gen.Runs("3.0.0")))
			s.pass(5 * time.Second)
			s.set("web", "1.5.0")
			s.pass(aWhile)
			s.mustRun("web", "1.5.0")
			if n := len(s.backups); n != 2 {
				t.Errorf("there are %d backups, want another one after api was created", n)
			}
		})
	}
}

func TestOverrideWhileTheOperatorIsDownIsRecorded(t *testing.T) {
	s := shopSim(t, "api", "web")
	s.op.down = true
	s.edit("web", admin, gen.Runs("1.5.0"), override("INC-1"))
	s.pass(moment)
	s.set("web", "1.6.0")
	s.pass(moment)
	s.op.down = false
	s.op.restart()
	s.pass(aWhile)
	if got := s.rollout("shop-1.5.0", 0).Workloads[0].Override; got == nil || got.Reason != "INC-1" {
		t.Errorf("the override of 1.5.0 is recorded as %+v", got)
	}
	s.mustRun("web", "1.6.0")
}

func TestOverrideIsRecordedForWhatItStartedAndNothingElse(t *testing.T) {
	s := shopSim(t, "api", "web")
	s.velero.down = true
	s.set("web", "1.5.0")
	s.pass(moment)
	s.op.down = true
	s.edit("web", admin, override("INC-1"))
	s.pass(moment)
	s.set("web", "1.6.0")
	s.pass(moment)
	s.op.down = false
	s.op.restart()
	s.pass(5 * time.Second)
	s.set("web", "1.7.0")
	s.pass(5 * time.Second)
	if s.rollout("shop-1.5.0", 0).Workloads[0].Override == nil {
		t.Error("1.5.0 was overridden, and that is not recorded")
	}
	if ro := s.rollout("shop-1.6.0", 0); ro.Workloads[0].Override != nil || ro.AdmittedTime != nil {
		t.Errorf("1.6.0 never ran, and is recorded as released %v, %+v", ro.AdmittedTime, ro.Workloads)
	}
}

// Creating a Deployment meets no policy: what it says of an override is no record of one.
func TestRecordOfAnOverrideOnANewWorkloadIsRemoved(t *testing.T) {
	s := shopSim(t, "api", "web")
	s.createDeployment(gen.Deployment("worker", gen.Runs("7.0.0"),
		gen.Annotation(v1alpha1.AnnotationOverriddenBy, admin), gen.Annotation(v1alpha1.AnnotationOverrideReason, "forged")))
	s.pass(5 * time.Second)
	if len(s.releases) != 0 {
		t.Errorf("it made releases %v", sorted(s.releases))
	}
	if v := view(s.deployments["worker"]); v.Override != nil {
		t.Errorf("it still says %+v", v.Override)
	}
}

// Velero takes its backups in turn: nobody may fill the queue.
func TestAnnouncedReleasesAreBackedUpOneAfterAnother(t *testing.T) {
	const releases = 20
	s := shopSim(t, "api", "web")
	for i := range releases {
		s.createRelease(gen.Release(shop, fmt.Sprintf("9.0.%d", i), gen.Deploy()))
	}
	s.settle()
	if n := len(s.backups); n != 1 {
		t.Errorf("%d backups at once", n)
	}
	s.pass(releases * 10 * time.Second)
	if n := len(s.backups); n != releases {
		t.Errorf("%d backups in the end, want %d", n, releases)
	}
}

func TestPlanOfTooManyWorkloadsLetsGoWhatItHoldsNoMore(t *testing.T) {
	s := shopSim(t, "web")
	s.velero.down = true
	s.set("web", "1.5.0")
	s.pass(moment)
	for i := range v1alpha1.MaxWorkloads {
		s.createDeployment(gen.Deployment(fmt.Sprintf("w%d", i), gen.Runs("1.4.2")))
	}
	s.pass(moment)
	if v := view(s.deployments["web"]); !v.Held() {
		t.Fatal("it is let go while the plan holds")
	}
	s.editPlan(shop, gen.Mode(v1alpha1.GateModeDisabled))
	s.pass(aWhile)
	if v := view(s.deployments["web"]); v.Held() {
		t.Error("the gate is Disabled, and it is still held")
	}
}

// Whoever loses the labels of one plan and gets those of another that does not hold is no freer for it.
func TestPromise1_HeldWorkloadMovesToNoPlanThatDoesNotHold(t *testing.T) {
	s := shopSim(t, "web")
	s.createPlan(gen.Plan("lab", gen.Selects(gen.LabelPartOf, "lab"), gen.Mode(v1alpha1.GateModeObserve)))
	s.velero.down = true
	s.set("web", "1.5.0")
	s.pass(moment)
	s.edit("web", "user", gen.Label(gen.LabelPartOf, "lab"))
	s.pass(aWhile)
	if v := view(s.deployments["web"]); !v.Held() {
		t.Fatal("a label let it go without a backup")
	}
	s.velero.down = false
	s.pass(aWhile)
	s.mustRun("web", "1.5.0")
	if why := s.rollout("shop-1.5.0", 0).Workloads[0].StartReason; why != v1alpha1.StartBackupCompleted {
		t.Errorf("it started because of %q", why)
	}
}

// A newer API server knows fields that this operator drops: what it holds may look to us like what runs. That is no
// revert.
func TestPromise1_HoldWhoseChangeIsNotSeenIsNoRevert(t *testing.T) {
	s := shopSim(t, "web")
	was := s.deployments["web"]
	d := was.DeepCopy()
	d.Spec.Paused = true
	d.Annotations = map[string]string{v1alpha1.AnnotationHeldBy: workload.HoldMark(ns, shop)}
	s.storeDeployment(was, d)
	s.pass(moment)
	if v := view(s.deployments["web"]); !v.Held() {
		t.Fatal("it was let go without a backup")
	}
	s.pass(aWhile)
	s.mustRun("web", "1.4.2")
	if v := view(s.deployments["web"]); v.Held() || len(s.backups) != 1 {
		t.Errorf("held %t after %d backups, want it released after one", v.Held(), len(s.backups))
	}
}
