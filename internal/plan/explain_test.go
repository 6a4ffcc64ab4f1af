// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/gen"
)

// says fails the test unless that is what a Deployment says of why it is held.
func (s *sim) says(name, want string) {
	s.Helper()
	if got := s.deployments[name].Annotations[v1alpha1.AnnotationHeldReason]; got != want {
		s.Errorf("at %s %s says %q, want %q", s.now.Sub(epoch), name, got, want)
	}
}

// After the event has expired a held Deployment once showed "DeploymentPaused" and nothing else.
func TestHeldWorkloadSaysWhyOnceForEachReason(t *testing.T) {
	s := shopSim(t, "web")
	s.velero.down = true
	s.set("web", "1.5.0")
	s.pass(4 * time.Second)
	s.says("web", "")
	s.pass(moment)
	s.says("web", "reason=VeleroNotResponding release=shop-1.5.0 since=2026-03-01T09:00:10Z")
	version := s.deployments["web"].ResourceVersion
	s.pass(10 * time.Minute)
	if got := s.deployments["web"].ResourceVersion; got != version {
		t.Errorf("it was written again, for the same reason")
	}
	s.velero.down, s.velero.duration = false, time.Minute
	s.pass(10 * time.Second)
	s.says("web", "reason=BackupInProgress release=shop-1.5.0 since=2026-03-01T09:00:10Z")
	b := s.backups[s.rollout("shop-1.5.0", 0).Backup.Name].DeepCopy()
	version = s.deployments["web"].ResourceVersion
	for done := range 10 {
		b.Status.Progress = &velerov1.BackupProgress{TotalItems: 10, ItemsBackedUp: done}
		s.storeBackup(b)
		s.settle()
		b = s.backups[b.Name].DeepCopy()
	}
	if got := s.deployments["web"].ResourceVersion; got != version {
		t.Errorf("it was written for progress")
	}
	s.pass(2 * time.Minute)
	s.mustRun("web", "1.5.0")
	s.says("web", "")
	s.mustRest()
}

// A quick rollout costs no write more.
func TestQuickHoldIsNotExplained(t *testing.T) {
	s := shopSim(t, "web")
	s.set("web", "1.5.0")
	for range 5 {
		s.pass(time.Second)
		s.says("web", "")
	}
	s.mustRun("web", "1.5.0")
}

// However a hold ends, nothing is left that says why it is held.
func TestExplanationGoesWithTheHold(t *testing.T) {
	for name, end := range map[string]func(s *sim){
		"overridden": func(s *sim) { s.edit("web", admin, override("it burns")) },
		"taken back": func(s *sim) { s.set("web", "1.4.2") },
		"mode":       func(s *sim) { s.editPlan(shop, gen.Mode(v1alpha1.GateModeObserve)) },
		"plan gone":  func(s *sim) { s.deletePlan(shop) },
		"bypassed":   func(s *sim) { s.gateUp = false; s.edit("web", "user", resume()) },
		"marks taken": func(s *sim) {
			s.gateUp = false
			s.edit("web", "user", replaced(), gen.Annotation(v1alpha1.AnnotationHeldReason, "stale"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := shopSim(t, "web")
			s.velero.down = true
			s.set("web", "1.5.0")
			s.pass(10 * time.Second)
			s.says("web", "reason=VeleroNotResponding release=shop-1.5.0 since=2026-03-01T09:00:10Z")
			end(s)
			s.pass(10 * time.Second)
			if v := view(s.deployments["web"]); v.Held() {
				t.Fatalf("it is still held: %s", s.describe(s.deployments["web"]))
			}
			s.says("web", "")
		})
	}
}
