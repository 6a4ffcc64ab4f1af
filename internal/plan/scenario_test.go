// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"maps"
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/gen"
)

// TestTranscripts plays whole stories, and compares what everybody does and says in them with testdata. Every start is
// checked against the facts, and in the end everything must be at rest.
func TestTranscripts(t *testing.T) {
	stories := map[string]func(s *sim){}
	for _, chapter := range []map[string]func(s *sim){rolloutStories, releaseStories, backupStories, gateStories, planStories} {
		maps.Copy(stories, chapter)
	}
	for name, play := range stories {
		t.Run(name, func(t *testing.T) {
			s := shopSim(t, "api", "web")
			s.record()
			play(s)
			s.check(t, name)
		})
	}
}

const (
	moment = 2 * time.Second
	aWhile = 30 * time.Second
)

var rolloutStories = map[string]func(s *sim){
	"normal": func(s *sim) {
		s.set("web", "1.5.0")
		s.pass(aWhile)
	},
	"several_deployments_at_once": func(s *sim) {
		s.createDeployment(gen.Deployment("worker", gen.Runs("1.4.2")))
		s.pass(moment)
		for _, name := range []string{"api", "web", "worker"} {
			s.set(name, "1.5.0")
		}
		s.pass(aWhile)
	},
	"edited_again_while_held": func(s *sim) {
		s.set("web", "1.5.0")
		s.pass(moment)
		s.edit("web", "user", gen.Config("LOG", "debug"))
		s.pass(aWhile)
	},
	"another_version_while_held": func(s *sim) {
		s.set("web", "1.5.0")
		s.pass(moment)
		s.set("web", "1.6.0")
		s.pass(aWhile)
	},
	"another_version_when_the_backup_is_over": func(s *sim) {
		s.set("web", "1.5.0")
		s.pass(moment)
		s.op.down = true
		s.pass(moment)
		s.set("web", "1.6.0")
		s.op.down = false
		s.op.restart()
		s.pass(aWhile)
	},
	"reverted_while_held": func(s *sim) {
		s.set("web", "1.5.0")
		s.pass(moment)
		s.set("web", "1.4.2")
		s.pass(aWhile)
	},
	"rolled_back_to_an_older_version": func(s *sim) {
		for _, version := range []string{"1.5.0", "1.4.2", "1.5.0"} {
			s.set("web", version)
			s.set("api", version)
			s.pass(aWhile)
		}
	},
	"rolled_back_while_in_flight": func(s *sim) {
		s.broken["web"] = true
		s.set("web", "1.5.0")
		s.pass(aWhile)
		s.set("web", "1.4.2")
		s.broken["web"] = false
		s.pass(aWhile)
	},
	"rollout_fails_and_recovers": func(s *sim) {
		s.broken["web"] = true
		s.set("web", "1.5.0")
		s.pass(11 * time.Minute)
		s.broken["web"] = false
		s.pass(aWhile)
	},
	"two_versions_one_after_another": func(s *sim) {
		s.set("api", "1.5.0")
		s.set("web", "1.6.0")
		s.pass(time.Minute)
	},
	"restarted_pods_are_no_rollout": func(s *sim) {
		s.edit("web", "user", gen.TemplateAnnotation(v1alpha1.AnnotationRestartedAt, "now"))
		s.pass(aWhile)
	},
}

var releaseStories = map[string]func(s *sim){
	"announced": func(s *sim) {
		s.createRelease(gen.Release(shop, "1.5.0", gen.Deploy()))
		s.pass(aWhile)
		s.set("web", "1.5.0")
		s.set("api", "1.5.0")
		s.pass(aWhile)
	},
	"announced_and_voided": func(s *sim) {
		s.createRelease(gen.Release(shop, "1.6.0", gen.Deploy()))
		s.pass(aWhile)
		s.set("api", "1.5.0")
		s.pass(aWhile)
		s.set("web", "1.6.0")
		s.pass(aWhile)
	},
	"announced_too_early": func(s *sim) {
		s.createRelease(gen.Release(shop, "1.5.0", gen.Deploy()))
		s.pass(aWhile)
		s.now = s.now.Add(25 * time.Hour)
		s.set("web", "1.5.0")
		s.pass(aWhile)
	},
	"announced_and_expired": func(s *sim) {
		s.createRelease(gen.Release(shop, "1.5.0", gen.Deploy()))
		s.pass(aWhile)
		s.deleteBackup(s.rollout("shop-1.5.0", 0).Backup.Name)
		s.pass(moment)
		s.set("web", "1.5.0")
		s.pass(aWhile)
	},
	"created_again_before_its_rollout": func(s *sim) {
		s.createRelease(gen.Release(shop, "1.5.0", gen.Deploy()))
		s.pass(aWhile)
		s.again("1.5.0")
		s.pass(aWhile)
		s.set("web", "1.5.0")
		s.pass(aWhile)
	},
	"created_again_while_held": func(s *sim) {
		s.set("web", "1.5.0")
		s.pass(moment)
		s.deleteRelease("shop-1.5.0")
		s.pass(aWhile)
	},
	"created_again_after_its_rollout": func(s *sim) {
		s.createRelease(gen.Release(shop, "1.5.0", gen.Deploy()))
		s.pass(aWhile)
		s.set("web", "1.5.0")
		s.set("api", "1.5.0")
		s.pass(aWhile)
		s.again("1.5.0")
		s.pass(aWhile)
		s.edit("web", "user", gen.Config("LOG", "debug"))
		s.pass(aWhile)
	},
	"deleted_after_its_rollout": func(s *sim) {
		for _, version := range []string{"1.5.0", "1.6.0"} {
			s.set("web", version)
			s.pass(aWhile)
		}
		s.deleteRelease("shop-1.6.0")
		s.pass(aWhile)
		s.set("web", "1.5.0")
		s.pass(aWhile)
	},
	"recorded_by_ci": func(s *sim) {
		s.createRelease(gen.Release(shop, "1.5.0", gen.Named("build-7")))
		s.pass(moment)
		s.set("web", "1.5.0")
		s.pass(aWhile)
	},
	"recorded_by_ci_and_then_announced": func(s *sim) {
		s.createRelease(gen.Release(shop, "1.5.0", gen.Named("build-7")))
		s.pass(moment)
		s.editRelease("build-7", gen.Deploy())
		s.pass(aWhile)
		s.set("web", "1.5.0")
		s.pass(aWhile)
	},
	"announced_again": func(s *sim) {
		s.set("web", "1.5.0")
		s.set("api", "1.5.0")
		s.pass(aWhile)
		s.set("web", "1.4.2")
		s.set("api", "1.4.2")
		s.pass(aWhile)
		s.editRelease("shop-1.5.0", gen.Deploy())
		s.pass(aWhile)
		s.set("web", "1.5.0")
		s.set("api", "1.5.0")
		s.pass(aWhile)
	},
	"named_by_ci_while_held": func(s *sim) {
		s.set("web", "sha-9f3c")
		s.pass(moment)
		s.createRelease(gen.Release(shop, "1.5.0", gen.Artifact("registry.example/web:sha-9f3c", "")))
		s.pass(aWhile)
	},
	"second_release_of_a_version": func(s *sim) {
		s.createRelease(gen.Release(shop, "1.5.0", gen.Deploy()))
		s.pass(moment)
		s.createRelease(gen.Release(shop, "1.5.0", gen.Named("twin"), gen.Deploy()))
		s.pass(aWhile)
	},
}

// again deletes a release and creates it again, as Argo CD does with a hook.
func (s *sim) again(version string) {
	s.deleteRelease("shop-" + version)
	s.createRelease(gen.Release(shop, version, gen.Deploy()))
}

var backupStories = map[string]func(s *sim){
	"backup_fails_once": func(s *sim) {
		s.velero.endings = []velerov1.BackupPhase{velerov1.BackupPhasePartiallyFailed}
		s.set("web", "1.5.0")
		s.pass(aWhile)
	},
	"backup_fails_three_times": func(s *sim) {
		s.velero.endings = []velerov1.BackupPhase{
			velerov1.BackupPhaseFailed, velerov1.BackupPhaseFailedValidation, velerov1.BackupPhasePartiallyFailed,
		}
		s.set("web", "1.5.0")
		s.pass(2 * time.Minute)
	},
	"backup_is_asked_for_again": func(s *sim) {
		s.editPlan(shop, gen.BackupAttempts(1))
		s.velero.endings = []velerov1.BackupPhase{velerov1.BackupPhaseFailed}
		s.set("web", "1.5.0")
		s.pass(8 * time.Second)
		s.editRelease("shop-1.5.0", retryNow("1"))
		s.pass(aWhile)
	},
	"backup_fails_and_the_release_is_deleted": func(s *sim) {
		s.editPlan(shop, gen.BackupAttempts(1))
		s.velero.endings = []velerov1.BackupPhase{velerov1.BackupPhaseFailed}
		s.set("web", "1.5.0")
		s.pass(aWhile)
		s.deleteRelease("shop-1.5.0")
		s.pass(aWhile)
	},
	"backup_completed_with_a_failure_reason": func(s *sim) {
		s.velero.endings, s.velero.reason = []velerov1.BackupPhase{velerov1.BackupPhaseCompleted}, "the upload was cut off"
		s.set("web", "1.5.0")
		s.pass(aWhile)
	},
	"backup_deleted_while_waited_for": func(s *sim) {
		s.velero.duration = 20 * time.Second
		s.set("web", "1.5.0")
		s.pass(4 * time.Second)
		s.deleteBackup(s.rollout("shop-1.5.0", 0).Backup.Name)
		s.pass(time.Minute)
	},
	"location_unavailable": func(s *sim) {
		s.setLocation(velerov1.BackupStorageLocationPhaseUnavailable)
		s.set("web", "1.5.0")
		s.pass(aWhile)
		s.setLocation(velerov1.BackupStorageLocationPhaseAvailable)
		s.pass(aWhile)
	},
	"velero_silent": func(s *sim) {
		s.velero.down = true
		s.set("web", "1.5.0")
		s.pass(time.Hour)
		s.velero.down = false
		s.pass(aWhile)
	},
	"velero_forgets": func(s *sim) {
		s.velero.down = true
		s.set("web", "1.5.0")
		s.pass(moment)
		b := s.backups[s.rollout("shop-1.5.0", 0).Backup.Name].DeepCopy()
		b.Status.Phase = velerov1.BackupPhaseReadyToStart
		s.storeBackup(b)
		s.pass(70 * time.Second)
		b = s.backups[b.Name].DeepCopy()
		b.Status.Phase = velerov1.BackupPhaseNew
		s.storeBackup(b)
		s.velero.down = false
		s.pass(aWhile)
	},
	"backup_of_an_earlier_namespace": func(s *sim) {
		s.set("web", "1.5.0")
		s.pass(aWhile)
		s.deletePlan(shop)
		s.deleteRelease("shop-1.5.0")
		s.deleteDeployment("web")
		s.pass(moment)
		s.createDeployment(gen.Deployment("web", gen.Runs("1.4.2")))
		s.createPlan(gen.Plan(shop, gen.Planned("1.4.2")))
		s.pass(moment)
		s.set("web", "1.5.0")
		s.pass(aWhile)
	},
}
