// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

func TestIntentDeployBacksUpBeforeAnythingChanges(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.create(s.announce("next", "2", v1alpha1.IntentDeploy))
	backup := s.awaitBackup("next", 0)
	s.complete(backup)
	s.says(s.awaitReady("next", v1alpha1.ReasonBackupCompleted).Message, backup, "the rollout may begin")
	if !meta.IsStatusConditionTrue(s.release("next").Status.Conditions, v1alpha1.ConditionReady) {
		t.Error("who waits for Ready before deploying waits for ever")
	}
	s.roll("web", "2")
	s.awaitStarted("web", "2")
	s.awaitReady("next", v1alpha1.ReasonRolledOut)
	s.backupsAre(1)
	if got := s.releases(); len(got) != 1 {
		t.Errorf("releases: %v", got)
	}
}

func TestBackupAheadServesOnlyTheFirstRolloutThatFollows(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.create(s.announce("next", "3", v1alpha1.IntentDeploy))
	s.complete(s.awaitBackup("next", 0))
	s.awaitReady("next", v1alpha1.ReasonBackupCompleted)
	s.rollOut("web", "2")
	s.roll("web", "3")
	second := s.awaitAttempt("next", 0, 2)
	s.mustBeHeld("web")
	s.complete(second)
	s.awaitStarted("web", "3")
	s.backupsAre(3)
}

func TestIntentRecordWaitsForItsRollout(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.create(s.announce("build-7", "2", v1alpha1.IntentRecord))
	s.says(s.awaitReady("build-7", v1alpha1.ReasonRecorded).Message, "nothing of it has rolled out")
	s.backupsAre(0)
	s.roll("web", "2")
	s.complete(s.awaitBackup("build-7", 0))
	s.awaitReady("build-7", v1alpha1.ReasonRolledOut)
	if got := s.releases(); len(got) != 1 {
		t.Errorf("releases: %v", got)
	}
}

// CI records a build, and the step that deploys it announces that release: nothing else need be created.
func TestRecordThenDeployBacksUpAhead(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.create(s.announce("build-7", "2", v1alpha1.IntentRecord))
	s.awaitReady("build-7", v1alpha1.ReasonRecorded)
	s.patch(s.release("build-7"), `{"spec":{"intent":"Deploy"}}`)
	s.complete(s.awaitBackup("build-7", 0))
	s.awaitReady("build-7", v1alpha1.ReasonBackupCompleted)
	s.roll("web", "2")
	s.awaitStarted("web", "2")
	s.awaitReady("build-7", v1alpha1.ReasonRolledOut)
	s.backupsAre(1)
}

// The operator made the release: its version is announced again by its intent.
func TestVersionIsAnnouncedAgain(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.rollOut("web", "2")
	s.rollOut("web", "3")
	s.patch(s.release("shop-2"), `{"spec":{"intent":"Deploy"}}`)
	s.await("another rollout", patience, func() (bool, any) {
		r := &v1alpha1.AppRelease{} // as awaitBackup sees it
		return s.see(r, s.key("shop-2")) && len(r.Status.Rollouts) == 2 && r.Status.AnnouncedGeneration == 2, r
	})
	s.complete(s.awaitBackup("shop-2", 0))
	s.awaitReady("shop-2", v1alpha1.ReasonBackupCompleted)
	s.roll("web", "2")
	s.awaitStarted("web", "2")
	s.awaitReady("shop-2", v1alpha1.ReasonRolledOut)
	s.backupsAre(3)
}

func TestSecondReleaseOfAVersionDoesNothing(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.create(s.announce("a-first", "2", v1alpha1.IntentRecord))
	s.awaitReady("a-first", v1alpha1.ReasonRecorded)
	s.create(s.announce("b-second", "2", v1alpha1.IntentDeploy))
	s.says(s.awaitReady("b-second", v1alpha1.ReasonDuplicate).Message, "duplicates AppRelease a-first", "delete it",
		"kubectl -n "+s.namespace+" patch apprelease a-first --type merge")
	s.stalled(s.release("b-second"), true)
	s.backupsAre(0)
	s.delete(s.release("a-first"))
	s.awaitBackup("b-second", 0) // it stands for the version now
}

func TestReleaseBeforeItsPlan(t *testing.T) {
	t.Parallel()
	s := emptyShop(t)
	s.create(s.announce("next", "2", v1alpha1.IntentDeploy))
	s.says(s.awaitReady("next", v1alpha1.ReasonPlanNotFound).Message, "there is no DRPlan shop in namespace "+s.namespace)
	s.create(s.deployment("web", "1"))
	s.create(s.plan("shop"))
	s.complete(s.awaitBackup("next", 0))
	s.awaitReady("next", v1alpha1.ReasonBackupCompleted)
}

// again deletes a release and creates it again, as GitOps tools do with hooks.
func (s *shop) again(name, version string, intent v1alpha1.ReleaseIntent) {
	s.Helper()
	s.delete(s.release(name))
	r := s.announce(name, version, intent)
	s.create(r)
	s.await("the watches show the new one", patience, func() (bool, any) {
		seen := &v1alpha1.AppRelease{}
		return s.see(seen, s.key(name)) && seen.UID == r.UID, seen
	})
}

func TestReleaseThatIsCreatedAgainFindsItsBackup(t *testing.T) {
	t.Parallel()
	t.Run("before it was used", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		s.create(s.announce("next", "2", v1alpha1.IntentDeploy))
		backup := s.awaitBackup("next", 0)
		s.complete(backup)
		s.awaitReady("next", v1alpha1.ReasonBackupCompleted)
		s.again("next", "2", v1alpha1.IntentDeploy)
		s.awaitReady("next", v1alpha1.ReasonBackupCompleted)
		s.roll("web", "2")
		s.awaitStarted("web", "2")
		s.awaitReady("next", v1alpha1.ReasonRolledOut)
		s.mustHaveUsed("next", backup)
	})
	t.Run("while held", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		s.roll("web", "2")
		backup := s.awaitBackup("shop-2", 0)
		s.delete(s.release("shop-2"))
		s.await("the release is there again", patience, func() (bool, any) {
			r := &v1alpha1.AppRelease{}
			return s.see(r, s.key("shop-2")) && r.DeletionTimestamp == nil && len(r.Status.Rollouts) == 1, r
		})
		s.mustBeHeld("web")
		s.complete(backup)
		s.awaitStarted("web", "2")
		s.awaitReady("shop-2", v1alpha1.ReasonRolledOut)
		s.mustHaveUsed("shop-2", backup)
	})
	t.Run("after it was used", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		s.create(s.announce("next", "2", v1alpha1.IntentDeploy))
		backup := s.awaitBackup("next", 0)
		s.complete(backup)
		s.awaitReady("next", v1alpha1.ReasonBackupCompleted)
		s.roll("web", "2")
		s.awaitReady("next", v1alpha1.ReasonRolledOut)
		s.await("the start is known to the plan", patience, func() (bool, any) {
			last := s.current().Status.LastStart
			return last != nil && last.Version == "2", last
		})
		s.again("next", "2", v1alpha1.IntentDeploy)
		s.awaitReady("next", v1alpha1.ReasonRolledOut)
		s.mustHaveUsed("next", backup)
	})
}

// mustHaveUsed fails the test unless a backup is the only one, and the release's.
func (s *shop) mustHaveUsed(release, backup string) {
	s.Helper()
	s.backupsAre(1)
	if ro := s.release(release).Status.Rollouts; len(ro) != 1 || ro[0].Backup == nil || ro[0].Backup.Name != backup {
		s.Errorf("release %s does not tell of backup %s: %s", release, backup, show(ro))
	}
}

func TestVersionOfAHeldWorkloadIsResolvedInOrder(t *testing.T) {
	t.Parallel()
	digest := "sha256:" + strings.Repeat("ab", 32)
	const template, meta = `{"spec":{"template":{`, `{"metadata":{"labels":{"app.kubernetes.io/version":"W"}},"spec":{"template":{`
	for name, tc := range map[string]struct {
		artifact      *v1alpha1.Artifact
		patch         string
		version, from string
	}{
		"an artifact's digest": {
			&v1alpha1.Artifact{Image: "elsewhere/web", Digest: digest},
			meta + `"metadata":{"labels":{"app.kubernetes.io/version":"T"}},"spec":{"containers":[{"name":"main","image":"web:7@` + digest + `"}]}}}}`,
			"A", "Artifact",
		},
		"an artifact's image": {
			&v1alpha1.Artifact{Image: "web:7"}, template + `"metadata":{"labels":{"app.kubernetes.io/version":"T"}},"spec":{"containers":[{"name":"main","image":"web:7"}]}}}}`,
			"A", "Artifact",
		},
		"the template's label": {
			nil, meta + `"metadata":{"labels":{"app.kubernetes.io/version":"T"}},"spec":{"containers":[{"name":"main","image":"web:7"}]}}}}`,
			"T", "PodTemplateLabel",
		},
		"the workload's label": {
			nil, meta + `"spec":{"containers":[{"name":"main","image":"web:7"}]}}}}`, "W", "WorkloadLabel",
		},
		"the image's tag":     {nil, template + `"spec":{"containers":[{"name":"main","image":"web:7"}]}}}}`, "7", "ImageTag"},
		"the template's hash": {nil, template + `"spec":{"containers":[{"name":"main","image":"web:latest"}]}}}}`, "template-", "TemplateHash"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			if tc.artifact != nil {
				r := s.announce("built", "A", v1alpha1.IntentRecord)
				r.Spec.Artifacts = []v1alpha1.Artifact{*tc.artifact}
				s.create(r)
				s.awaitReady("built", v1alpha1.ReasonRecorded)
			}
			s.patch(&appsv1.Deployment{ObjectMeta: s.meta("web")}, tc.patch)
			var held v1alpha1.HeldWorkload
			s.await("held", patience, func() (bool, any) {
				st := s.current().Status
				if len(st.Held) == 1 {
					held = st.Held[0]
				}
				return held.Release != "", st
			})
			if !strings.HasPrefix(held.Version, tc.version) {
				t.Errorf("version %q, want %q", held.Version, tc.version)
			}
			if got := s.release(held.Release).Status.Rollouts[0].Workloads[0].VersionSource; string(got) != tc.from {
				t.Errorf("source %q, want %q", got, tc.from)
			}
		})
	}
}

func TestReleaseOfAnotherPlanKeepsItsName(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	other := &v1alpha1.AppRelease{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "shop-2"}}
	other.Spec = v1alpha1.AppReleaseSpec{Plan: "another", Version: "9", Intent: v1alpha1.IntentRecord}
	s.create(other)
	s.roll("web", "2")
	s.await("a release under a longer name", patience, func() (bool, any) {
		held := s.current().Status.Held
		return len(held) == 1 && strings.HasPrefix(held[0].Release, "shop-2-"), held
	})
	if got := s.release("shop-2").Spec.Plan; got != "another" {
		t.Errorf("the release of another plan is of %s now", got)
	}
}
