// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"strings"
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/gen"
)

// Promise 1 is in chaos_test.go.

func TestPromise2_ABackupIsLabelledWithTheVersionThatItCaptured(t *testing.T) {
	s := shopSim(t, "web")
	for i, version := range []string{"1.5.0", "1.4.2", "1.6.0"} {
		ran := versionOf(s.deployments["web"])
		s.set("web", version)
		s.pass(aWhile)
		s.mustHaveBackups(i + 1)
		b := s.backups[s.rollout("shop-"+version, 0).Backup.Name]
		if got := b.Annotations[v1alpha1.AnnotationVersion]; got != ran {
			t.Errorf("the backup before %s is labelled %q, and %s ran", version, got, ran)
		}
		if got := s.plans[shop].Status.Versions.Protected; got != ran {
			t.Errorf("the plan says that %q is protected, want %s", got, ran)
		}
	}
	s.mustRest()
}

// What starts while the backup waits in Velero's queue, or while it is taken, makes its content uncertain: whether the
// operator sees it at once, or was down at the time.
func TestPromise2_AStartDuringABackupTakesItsVersionBack(t *testing.T) {
	for name, down := range map[string]bool{"seen": false, "unseen": true} {
		t.Run(name, func(t *testing.T) {
			s := shopSim(t, "api", "web")
			s.set("web", "1.5.0")
			s.pass(moment)
			s.op.down = down
			s.edit("api", admin, gen.Runs("1.6.0"), override("it burns"))
			s.pass(moment)
			s.edit("api", "user", gen.Runs("1.4.2"))
			s.pass(moment)
			s.op.down = false
			s.op.restart()
			s.pass(time.Minute)
			s.mustRun("web", "1.5.0")
			s.checkLabels()
			if len(s.backups) < 2 {
				t.Errorf("the backup that the start voided was used: %v", sorted(s.backups))
			}
		})
	}
}

func TestPromise3_DriftShowsWithTheFirstLook(t *testing.T) {
	s := shopSim(t, "web")
	s.editPlan(shop, gen.Mode(v1alpha1.GateModeObserve))
	s.settle()
	s.set("web", "1.5.0")
	s.settle()
	s.roll() // its pods are ready
	s.settle()
	drifted := meta.FindStatusCondition(s.plans[shop].Status.Conditions, v1alpha1.ConditionDrifted)
	if drifted.Status != metav1.ConditionTrue || drifted.Reason != v1alpha1.ReasonVersionBehind {
		t.Errorf("without any time passing the plan says %+v", drifted)
	}
}

// An operator that is killed before any write that it makes goes on afterwards, and takes no second backup.
func TestPromise4_AKilledOperatorStartsNoSecondBackup(t *testing.T) {
	for name, away := range map[string]time.Duration{"back at once": 0, "back after a minute": time.Minute} {
		t.Run(name, func(t *testing.T) {
			killed := true
			for write := 0; killed; write++ {
				killed = rolloutWithKill(t, write, away)
			}
		})
	}
}

// rolloutWithKill rolls three Deployments out, with the operator killed before its nth write. It says whether it was.
func rolloutWithKill(t *testing.T, write int, away time.Duration) bool {
	s := shopSim(t, "api", "web", "worker")
	s.op.crashAfter = write
	for _, name := range []string{"api", "web", "worker"} {
		s.set(name, "1.5.0")
	}
	killed := false
	for range 30 {
		s.pass(time.Second)
		if !killed && s.op.crashAfter < 0 {
			killed = true
			s.op.down = true
			s.pass(away)
			s.op.down = false
			s.op.restart()
		}
	}
	s.mustRest()
	s.mustHaveBackups(1)
	for _, name := range []string{"api", "web", "worker"} {
		s.mustRun(name, "1.5.0")
	}
	ro := s.rollout("shop-1.5.0", 0)
	if len(s.releases) != 1 || ro.Number != 1 || ro.Outcome != v1alpha1.OutcomeRolledOut {
		t.Errorf("killed before write %d: %d releases, rollout %d ended as %q", write, len(s.releases), ro.Number, ro.Outcome)
	}
	for i := range ro.Workloads {
		if why := ro.Workloads[i].StartReason; why != v1alpha1.StartBackupCompleted {
			t.Errorf("killed before write %d: %s is said to have started because of %s", write, ro.Workloads[i].Name, why)
		}
	}
	return killed
}

// Two operators that both believe that they lead, one of them with old caches, take one backup and lose no hold.
func TestPromise4_TwoOperatorsStartOneBackup(t *testing.T) {
	for lag := range 12 {
		s := shopSim(t, "api", "web")
		other := newOperator(s.world)
		s.set("api", "1.5.0")
		s.set("web", "1.5.0")
		for range 30 {
			other.lag = lag
			other.work()
			s.pass(time.Second)
		}
		s.mustRest()
		s.mustHaveBackups(1)
		s.mustRun("api", "1.5.0")
		s.mustRun("web", "1.5.0")
	}
}

func TestPromise5_WhatIsHeldSaysWhySinceUntilAndHowToOverride(t *testing.T) {
	for name, tc := range map[string]struct {
		happens func(s *sim)
		after   time.Duration
		says    []string
	}{
		"Velero is silent": {
			func(s *sim) { s.velero.down = true }, 5 * time.Second, []string{"Velero has not picked up backup shop-1.5.0-1-"},
		},
		"backup in progress": {
			func(s *sim) { s.velero.duration = time.Hour }, time.Minute, []string{"Velero takes backup"},
		},
		"location unavailable": {
			func(s *sim) { s.setLocation(velerov1.BackupStorageLocationPhaseUnavailable) }, 0, []string{"BackupStorageLocation main is Unavailable"},
		},
		"backup failed": {
			func(s *sim) { s.velero.endings = []velerov1.BackupPhase{velerov1.BackupPhaseFailed} }, 6 * time.Second, []string{"is Failed; the next attempt follows at 2026-03-01T09:00:24Z"},
		},
		"every backup failed": {
			func(s *sim) { s.fails(5) }, time.Minute,
			[]string{"the backup keeps failing, in attempt 3 by now: fix the cause", "the next attempt follows at 2026-03-01T09:01:32Z", "To retry at once: "},
		},
		"after backups that failed, another": {
			func(s *sim) { s.fails(5) }, 84 * time.Second,
			[]string{"the backup keeps failing, in attempt 4 by now", "Velero takes backup shop-1.5.0-1.4-"},
		},
		"deadline releases": {
			func(s *sim) { s.velero.down = true; s.editPlan(shop, gen.Deadline(600, v1alpha1.DeadlineRelease)) }, time.Minute,
			[]string{"at the deadline, 2026-03-01T09:10:10Z, it is released without a backup"},
		},
		"deadline passed": {
			func(s *sim) { s.velero.down = true; s.editPlan(shop, gen.Deadline(60, v1alpha1.DeadlineHold)) }, 2 * time.Minute,
			[]string{"until the backup is Completed (the deadline was 2026-03-01T09:01:10Z)"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := shopSim(t, "web")
			tc.happens(s)
			s.set("web", "1.5.0")
			s.pass(tc.after)
			s.mustHold("web")
			ready := meta.FindStatusCondition(s.releases["shop-1.5.0"].Status.Conditions, v1alpha1.ConditionReady)
			for _, part := range append(tc.says, "web: ", "Held since 2026-03-01T09:00:10Z",
				"kubectl -n ns annotate deployment web dr.backstay.dev/override='<why>'") {
				if !strings.Contains(ready.Message, part) {
					t.Errorf("Ready does not say %q: %s", part, ready.Message)
				}
			}
			s.pass(2 * time.Second) // a plan tells of what lasts
			held := s.plans[shop].Status.Held
			if len(held) != 1 || held[0].Reason != ready.Reason || held[0].Since == nil || held[0].Until == nil || held[0].Release != "shop-1.5.0" {
				t.Errorf("the plan tells of the hold: %+v; want reason %s", held, ready.Reason)
			}
		})
	}
}

func TestPromise6_AMarkOfAnotherNamespaceIsNobodysHold(t *testing.T) {
	s := shopSim(t, "web")
	s.gateUp = false
	s.edit("web", "user", gen.Held("prod", "shop"), gen.Runs("1.5.0"))
	s.pass(aWhile)
	if d := s.deployments["web"]; !d.Spec.Paused || d.Annotations[v1alpha1.AnnotationHeldBy] != "prod/shop" {
		t.Errorf("the operator let go what nobody here holds: %s", s.describe(d))
	}
	s.mustHaveBackups(0)
}

func TestPromise7_AnOperatorThatIsDownDelaysAndBreaksNothing(t *testing.T) {
	s := shopSim(t, "api", "web")
	s.op.down = true
	s.set("web", "1.5.0")
	s.edit("api", "user", gen.TemplateAnnotation(v1alpha1.AnnotationRestartedAt, "now"), gen.Replicas(3))
	s.pass(time.Hour)
	s.mustHold("web")
	s.mustRun("api", "1.4.2")
	if d := s.deployments["api"]; d.Status.UpdatedReplicas != 3 {
		t.Errorf("api was scaled to 3, and has %d pods", d.Status.UpdatedReplicas)
	}
	s.op.down = false
	s.op.restart()
	s.pass(aWhile)
	s.mustRun("web", "1.5.0")
	s.mustHaveBackups(1)
	s.mustRest()
}

// A start of another workload that no operator saw voids a backup that was taken ahead: its ReplicaSet tells.
func TestAStartThatNobodySawVoidsABackup(t *testing.T) {
	s := shopSim(t, "api", "web")
	s.createRelease(gen.Release(shop, "1.6.0", gen.Deploy()))
	s.pass(aWhile)
	s.op.down = true
	s.edit("api", admin, gen.Runs("1.5.0"), override("it burns"))
	s.pass(moment)
	s.set("api", "1.4.2")
	s.set("web", "1.6.0")
	s.pass(moment)
	s.op.down = false
	s.op.restart()
	s.pass(time.Minute)
	s.mustRun("web", "1.6.0")
	if ro := s.rollout("shop-1.6.0", 0); ro.Backup.Attempt != 2 {
		t.Errorf("web was let go by backup %s, which is from before api started 1.5.0", ro.Backup.Name)
	}
	s.mustRest()
}

// Time alone makes the operator look again only where a text or a decision changes with it.
func TestNothingSpins(t *testing.T) {
	for name, tc := range map[string]struct {
		happens func(s *sim)
		most    int
	}{
		"idle":                 {func(*sim) {}, 0},
		"Velero is silent":     {func(s *sim) { s.velero.down = true; s.set("web", "1.5.0") }, 12},
		"backup in progress":   {func(s *sim) { s.velero.duration = 24 * time.Hour; s.set("web", "1.5.0") }, 12},
		"three backups failed": {func(s *sim) { s.fails(3); s.set("web", "1.5.0") }, 45},
		"every backup fails":   {func(s *sim) { s.fails(100); s.set("web", "1.5.0") }, 150},
		"location unavailable": {func(s *sim) {
			s.setLocation(velerov1.BackupStorageLocationPhaseUnavailable)
			s.set("web", "1.5.0")
		}, 10},
		"escaped": {func(s *sim) { s.gateUp = false; s.set("web", "1.5.0") }, 220},
		"ready to start": {func(s *sim) {
			s.velero.down = true
			s.set("web", "1.5.0")
			s.settle()
			b := s.backups[s.rollout("shop-1.5.0", 0).Backup.Name].DeepCopy()
			b.Status.Phase = velerov1.BackupPhaseReadyToStart
			s.storeBackup(b)
		}, 400},
	} {
		t.Run(name, func(t *testing.T) {
			s := shopSim(t, "web")
			tc.happens(s)
			before := s.op.decisions
			s.pass(90 * time.Minute)
			if n := s.op.decisions - before; n > tc.most {
				t.Errorf("%d decisions in 90 minutes, want at most %d", n, tc.most)
			}
		})
	}
}
