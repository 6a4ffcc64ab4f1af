// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"fmt"
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/gen"
)

// Velero's queue is everybody's: whatever the users of one plan do, it has two backups in it.
func TestOnePlanNeverFillsTheQueueOfVelero(t *testing.T) {
	for name, flood := range map[string]func(s *sim, names []string){
		"each paused by its user before": func(s *sim, names []string) {
			for i, workload := range names {
				s.edit(workload, "user", gen.Paused())
				s.set(workload, fmt.Sprintf("2.0.%d", i))
			}
		},
		"each held for longer than its deadline": func(s *sim, names []string) {
			s.editPlan(shop, gen.Deadline(60, v1alpha1.DeadlineHold))
			for i, workload := range names {
				s.set(workload, fmt.Sprintf("2.0.%d", i))
			}
		},
		"each observed": func(s *sim, names []string) {
			s.editPlan(shop, gen.Mode(v1alpha1.GateModeObserve))
			for i, workload := range names {
				s.set(workload, fmt.Sprintf("2.0.%d", i))
			}
		},
		"each announced": func(s *sim, names []string) {
			for i := range names {
				s.createRelease(gen.Release(shop, fmt.Sprintf("2.0.%d", i), gen.Deploy()))
			}
		},
		"announced and deleted again": func(s *sim, names []string) {
			for i := range names {
				r := gen.Release(shop, fmt.Sprintf("2.0.%d", i), gen.Deploy())
				s.createRelease(r)
				s.pass(moment)
				s.deleteRelease(r.Name)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			names := workloadNames(12)
			s := shopSim(t, names...)
			s.velero.down = true
			flood(s, names)
			for range 5 {
				s.pass(time.Minute)
				if n := len(s.backups); n > 2 {
					t.Fatalf("%d backups in the queue: %v", n, sorted(s.backups))
				}
			}
		})
	}
}

// After an outage that was longer than the deadlines each rollout takes one backup, as before them.
func TestEachRolloutTakesOneBackupPastItsDeadlineToo(t *testing.T) {
	names := workloadNames(5)
	s := shopSim(t, names...)
	s.editPlan(shop, gen.Deadline(60, v1alpha1.DeadlineHold))
	s.pass(moment)
	s.velero.down = true
	for i, name := range names {
		s.set(name, fmt.Sprintf("2.0.%d", i))
	}
	s.pass(3 * time.Minute)
	s.velero.down, s.velero.duration = false, 30*time.Second
	s.pass(6 * time.Minute)
	for i, name := range names {
		s.mustRun(name, fmt.Sprintf("2.0.%d", i))
	}
	if n := len(s.backups); n > len(names)+1 { // the two that wait when Velero returns may void one another
		t.Errorf("%d rollouts took %d backups", len(names), n)
	}
}

// A backup that Velero never ends keeps the others of its plan waiting for an hour.
func TestBackupThatNeverEndsKeepsOthersWaitingForAnHour(t *testing.T) {
	names := workloadNames(3)
	s := shopSim(t, names...)
	s.editPlan(shop, gen.Mode(v1alpha1.GateModeObserve))
	s.velero.down = true
	for i, name := range names {
		s.set(name, fmt.Sprintf("2.0.%d", i))
	}
	s.pass(aWhile)
	for _, name := range sorted(s.backups) {
		b := s.backups[name].DeepCopy()
		b.Status.Phase = velerov1.BackupPhaseWaitingForPluginOperations
		s.storeBackup(b)
	}
	before := len(s.backups)
	s.pass(2 * time.Hour)
	if n := len(s.backups); n <= before {
		t.Errorf("still %d backups", n)
	}
}
