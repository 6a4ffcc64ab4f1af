// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/gen"
)

// Why something was admitted is read back from the patch that admitted it. The backup may be gone by then.
func TestAdmissionIsRecordedAsItHappened(t *testing.T) {
	for name, lose := range map[string]func(s *sim){
		"the backup is deleted":     func(s *sim) { s.deleteBackup(sorted(s.backups)[0]) },
		"the mode is changed":       func(s *sim) { s.editPlan(shop, gen.Mode(v1alpha1.GateModeObserve)) },
		"the objective is stricter": func(s *sim) { s.editPlan(shop, gen.RecoveryPoint(60)); s.now = s.now.Add(time.Hour) },
		"it was replaced, marks and all": func(s *sim) {
			s.gateUp = false
			s.edit("web", "user", gen.Changed(func(d *appsv1.Deployment) { d.Annotations = nil }))
			s.gateUp = true
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := shopSim(t, "web")
			s.set("web", "1.5.0")
			s.passUntilLetGo("web")
			s.away(func() {
				s.pass(moment)
				lose(s)
				s.pass(moment)
			})
			s.pass(aWhile)
			ro := s.rollout("shop-1.5.0", 0)
			if why := ro.Workloads[0].StartReason; why != v1alpha1.StartBackupCompleted || ro.Cause != v1alpha1.CauseHeld {
				t.Errorf("it is recorded as %s %s", ro.Cause, why)
			}
			if len(s.backups) > 1 {
				t.Errorf("a second backup was taken: %v", sorted(s.backups))
			}
		})
	}
}

// A hold whose mark somebody removed ends as any other, and is no pause of a user's.
func TestHoldWhoseMarkWasRemovedIsNoPauseOfAUser(t *testing.T) {
	remove := gen.Changed(func(d *appsv1.Deployment) { delete(d.Annotations, v1alpha1.AnnotationHeldBy) })
	for name, gateUp := range map[string]bool{"the gate is in force": true, "the gate is not": false} {
		t.Run(name, func(t *testing.T) {
			s := held(t)
			s.gateUp = gateUp
			s.edit("web", "user", remove)
			s.gateUp = true
			s.settle()
			s.mustHold("web")
			s.velero.down = false
			s.pass(aWhile)
			s.mustRun("web", "1.5.0")
			s.mustHaveBackups(1)
		})
	}
}

// What a backup captured stands on it, and is not lost with an AppRelease that somebody prunes: its ReplicaSet was created in
// the very second in which the backup was completed.
func TestPromise2_DeletedReleaseDevaluesNoBackup(t *testing.T) {
	s := shopSim(t, "web")
	s.set("web", "1.5.0")
	s.sameSecond(10 * time.Second)
	s.mustRun("web", "1.5.0")
	first := s.rollout("shop-1.5.0", 0).Backup.Name
	b := s.backups[first]
	if set := s.sets["web-2"]; b.Status.Phase != velerov1.BackupPhaseCompleted || !set.CreationTimestamp.Equal(b.Status.CompletionTimestamp) {
		t.Fatalf("the test expects that %s was created at %s", set.Name, b.Status.CompletionTimestamp)
	}
	s.deleteRelease("shop-1.5.0")
	s.pass(moment)
	s.set("web", "1.6.0")
	s.pass(aWhile)
	s.deleteRelease("shop-1.6.0")
	s.set("web", "1.7.0")
	s.pass(aWhile)
	if got := s.backups[first].Annotations[v1alpha1.AnnotationVersion]; got != "1.4.2" {
		t.Errorf("the first backup says that it captured %q, want 1.4.2", got)
	}
	mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionTrue, v1alpha1.ReasonReconciled)
}
