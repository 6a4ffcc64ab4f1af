// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"fmt"
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/ledger"
	"github.com/backstay-dr/backstay/test/gen"
)

// A rollout that is taken back leaves nothing in Velero's queue that the next one would wait behind.
func TestQueuedBackupOfARevertedRolloutIsWithdrawn(t *testing.T) {
	for _, phase := range []velerov1.BackupPhase{"", velerov1.BackupPhaseNew, velerov1.BackupPhaseQueued} {
		t.Run(string(phase), func(t *testing.T) {
			s := shopSim(t, "web")
			s.velero.down = true
			s.set("web", "1.5.0")
			s.pass(moment)
			s.moveBackup(s.rollout("shop-1.5.0", 0).Backup.Name, phase)
			s.set("web", "1.4.2")
			s.pass(moment)
			s.mustHaveBackups(0)
			mustBe(t, s.releaseCondition("shop-1.5.0", v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonReverted)
			s.set("web", "1.6.0")
			s.settle()
			s.mustHaveBackups(1) // nothing delays it
			s.velero.down = false
			s.pass(aWhile)
			s.mustRun("web", "1.6.0")
			s.mustRest()
		})
	}
}

// replaced is `kubectl replace`, which drops the pause and the marks.
func replaced() gen.DeploymentOption {
	return gen.Changed(func(d *appsv1.Deployment) { d.Spec.Paused, d.Annotations = false, nil })
}

func (s *sim) moveBackup(name string, phase velerov1.BackupPhase) {
	b := s.backups[name].DeepCopy()
	b.Status.Phase = phase
	s.storeBackup(b)
	s.settle()
}

func TestBackupThatSomethingWaitsForIsNotWithdrawn(t *testing.T) {
	for name, happens := range map[string]func(s *sim, backup string){
		"Velero has begun it": func(s *sim, backup string) {
			s.moveBackup(backup, velerov1.BackupPhaseInProgress)
			s.set("web", "1.4.2")
		},
		"Velero is about to begin it": func(s *sim, backup string) {
			s.moveBackup(backup, velerov1.BackupPhaseReadyToStart)
			s.set("web", "1.4.2")
		},
		"another version takes it over":  func(s *sim, _ string) { s.set("web", "1.6.0") },
		"another workload waits for it":  func(s *sim, _ string) { s.set("api", "1.5.0"); s.settle(); s.set("web", "1.4.2") },
		"its release is deleted":         func(s *sim, _ string) { s.deleteRelease("shop-1.5.0") },
		"it escapes while it waits":      func(s *sim, _ string) { s.gateUp = false; s.edit("web", "user", replaced()) },
		"its release is announced since": func(s *sim, _ string) { s.editRelease("shop-1.5.0", gen.Deploy()) },
	} {
		t.Run(name, func(t *testing.T) {
			s := shopSim(t, "api", "web")
			s.velero.down = true
			s.set("web", "1.5.0")
			s.pass(moment)
			backup := s.rollout("shop-1.5.0", 0).Backup.Name
			happens(s, backup)
			s.pass(moment)
			if s.backups[backup] == nil {
				t.Errorf("it was withdrawn; there are %v", sorted(s.backups))
			}
		})
	}
}

// What nobody waits for in a plan that is gone is withdrawn too.
func TestQueuedBackupOfADeletedPlanIsWithdrawn(t *testing.T) {
	s := shopSim(t, "web")
	s.velero.down = true
	s.set("web", "1.5.0")
	s.pass(moment)
	s.deletePlan(shop)
	s.pass(moment)
	s.mustHaveBackups(0)
	s.mustRun("web", "1.5.0")
}

// An operator that is killed at any point of it leaves nothing behind, and takes for withdrawn nothing that Velero has begun.
func TestKilledOperatorWithdrawsInTheEnd(t *testing.T) {
	for name, begins := range map[string]bool{"still queued": false, "begun meanwhile": true} {
		t.Run(name, func(t *testing.T) {
			for write, killed := 0, true; killed; write++ {
				s := shopSim(t, "web")
				s.velero.down = true
				s.set("web", "1.5.0")
				s.pass(moment)
				s.op.crashAfter = write
				s.set("web", "1.4.2")
				s.settle()
				killed = s.op.crashAfter < 0
				s.velero.down = !begins
				s.op.restart()
				s.pass(aWhile)
				if !begins {
					s.mustHaveBackups(0)
				}
				for name, b := range s.backups {
					if got := s.rollout("shop-1.5.0", 0).Backup; got.Name == name && got.Phase != string(b.Status.Phase) {
						t.Errorf("killed before write %d: backup %s is %s, and recorded as %s", write, name, b.Status.Phase, got.Phase)
					}
				}
				s.mustRest()
			}
		})
	}
}

// Velero takes its backups in turn, for everybody: the plans of one namespace have so many under way, and all of them get
// their turn.
func TestPlansOfANamespaceShareItsBackups(t *testing.T) {
	const plans = 7
	s := newSim(t)
	for i := range plans {
		team := fmt.Sprintf("t%d", i)
		s.createDeployment(gen.Deployment(team, gen.Runs("1.4.2"), gen.Label("team", team), gen.Label(gen.LabelPartOf, "none")))
		s.pass(moment)
		s.createPlan(gen.Plan(team, gen.Selects("team", team)))
	}
	s.pass(5 * time.Second)
	s.velero.down = true
	for i := range plans {
		s.set(fmt.Sprintf("t%d", i), "1.5.0")
	}
	s.pass(aWhile)
	s.mustHaveBackups(ledger.MaxUnderWay)
	waits := 0
	for _, r := range s.releases {
		if c := conditionOf(t, r.Status.Conditions, v1alpha1.ConditionReady); c.Reason == v1alpha1.ReasonWaitingForRollout {
			mustBe(t, c, metav1.ConditionFalse, v1alpha1.ReasonWaitingForRollout, "4 backups of this namespace are under way, and at most 4 may be")
			waits++
		}
	}
	if waits != plans-ledger.MaxUnderWay {
		t.Errorf("%d rollouts say that they wait for others", waits)
	}
	s.velero.down = false
	s.pass(2 * time.Minute)
	for i := range plans {
		s.mustRun(fmt.Sprintf("t%d", i), "1.5.0")
	}
	s.mustRest()
}

// One tenant once filled Velero's queue for all: 390 backups from 601 plans over two Deployments.
func TestPlansOverTheSameWorkloadsTakeAHandfulOfBackups(t *testing.T) {
	const plans = 60
	for name, flood := range map[string]func(s *sim){
		"before the rollout": func(s *sim) {
			s.addPlans(plans, "all-%03d")
			s.set("web", "1.5.0")
			s.set("api", "1.5.0")
		},
		"while it is held, each before the others by name": func(s *sim) {
			s.set("web", "1.5.0")
			s.set("api", "1.5.0")
			s.pass(moment)
			for i := range plans {
				s.createPlan(gen.Plan(fmt.Sprintf("a-%03d", plans-i), gen.Selects(gen.LabelPartOf, shop)))
				s.settle()
			}
		},
		"each announcing": func(s *sim) {
			s.addPlans(plans, "all-%03d")
			for i := range plans {
				s.createRelease(gen.Release(fmt.Sprintf("all-%03d", i), "1.5.0", gen.Deploy()))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := shopSim(t, "api", "web")
			flood(s)
			s.pass(aWhile)
			if n := len(s.truth.backups); n > ledger.MaxUnderWay {
				t.Errorf("%d plans took %d backups", plans, n)
			}
		})
	}
}

func (s *sim) addPlans(n int, name string) {
	for i := range n {
		s.createPlan(gen.Plan(fmt.Sprintf(name, i), gen.Selects(gen.LabelPartOf, shop)))
	}
	s.pass(moment)
}
