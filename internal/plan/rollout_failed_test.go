// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/status"
	"github.com/backstay-dr/backstay/test/gen"
)

// A rollout without progress once said RollingOut for hours, and RUNNING the version of which no pod was ready.
func TestFailedRolloutIsTold(t *testing.T) {
	s := shopSim(t, "web")
	s.broken["web"] = true
	s.set("web", "1.5.0")
	s.pass(9 * time.Minute)
	mustBe(t, s.releaseCondition("shop-1.5.0", v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonRollingOut)
	s.pass(2 * time.Minute)
	for _, condition := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionRolledOut} {
		mustBe(t, s.releaseCondition("shop-1.5.0", condition), metav1.ConditionFalse, v1alpha1.ReasonRolloutFailed,
			"web: made no progress", "Backup "+s.rollout("shop-1.5.0", 0).Backup.Name+" holds 1.4.2", "kubectl -n ns rollout undo deployment/web")
	}
	mustBe(t, s.releaseCondition("shop-1.5.0", v1alpha1.ConditionStalled), metav1.ConditionTrue, v1alpha1.ReasonRolloutFailed)
	mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonRolloutFailed, "see AppRelease shop-1.5.0")
	if n := status.FailedRollouts(&v1alpha1.AppReleaseStatus{}, &s.releases["shop-1.5.0"].Status); n != 1 {
		t.Errorf("%d rollouts count as failed", n)
	}
	s.mustRest()
}

func TestFailedRolloutIsOverWhenItRecovers(t *testing.T) {
	s := shopSim(t, "web")
	s.broken["web"] = true
	s.set("web", "1.5.0")
	s.pass(11 * time.Minute)
	s.broken["web"] = false
	s.pass(moment)
	mustBe(t, s.releaseCondition("shop-1.5.0", v1alpha1.ConditionReady), metav1.ConditionTrue, v1alpha1.ReasonRolledOut)
	mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionTrue, v1alpha1.ReasonReconciled)
	if rec := s.rollout("shop-1.5.0", 0).Workloads[0]; rec.FailedTime != nil {
		t.Errorf("it is still recorded as failed: %+v", rec)
	}
}

// A rollout that is fixed by another one is over, whatever the Deployment says of the old one until it is admitted.
func TestFailedRolloutIsOverWhenAnotherOneTakesItsPlace(t *testing.T) {
	for name, version := range map[string]string{"forward": "1.5.1", "back": "1.4.2"} {
		t.Run(name, func(t *testing.T) {
			s := shopSim(t, "web")
			s.broken["web"] = true
			s.set("web", "1.5.0")
			s.pass(11 * time.Minute)
			s.velero.down = true
			s.set("web", version)
			s.pass(moment)
			mustBe(t, s.releaseCondition("shop-1.5.0", v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonRolloutFailed,
				"apply the version that ran before") // kubectl undoes nothing that is paused
			mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonRolloutFailed)
			s.velero.down, s.broken["web"] = false, false
			s.pass(aWhile)
			s.mustRun("web", version)
			mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionTrue, v1alpha1.ReasonReconciled)
			mustBe(t, s.releaseCondition("shop-1.5.0", v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonSuperseded)
		})
	}
}

// RUNNING is what serves: a version with ready pods.
func TestRunningIsWhatServes(t *testing.T) {
	running := func(s *sim, want string) {
		s.Helper()
		if got := s.plans[shop].Status.Versions.Running; got != want {
			s.Errorf("at %s the plan says that %s runs, want %s", s.now.Sub(epoch), got, want)
		}
	}
	t.Run("while none of the new version is ready", func(t *testing.T) {
		s := shopSim(t, "web")
		s.broken["web"] = true
		s.set("web", "1.5.0")
		s.pass(aWhile)
		running(s, "1.4.2")
		s.pass(11 * time.Minute)
		running(s, "1.4.2")
		s.broken["web"] = false
		s.pass(moment)
		running(s, "1.5.0")
	})
	t.Run("where the workload's labels tell the version", func(t *testing.T) {
		s := newSim(t)
		s.createDeployment(gen.Deployment("web", gen.Image("registry.example/web:latest"), gen.Label(gen.LabelVersion, "1.4.2")))
		s.pass(moment)
		s.createPlan(gen.Plan(shop))
		s.pass(moment)
		s.broken["web"] = true
		s.edit("web", "user", gen.Config("MODE", "fast"), gen.Label(gen.LabelVersion, "1.5.0"))
		s.pass(aWhile)
		running(s, "1.4.2")
	})
	t.Run("scaled to none, what was last admitted", func(t *testing.T) {
		s := shopSim(t, "web")
		s.edit("web", "user", gen.Replicas(0))
		s.pass(aWhile)
		s.set("web", "1.5.0")
		s.pass(aWhile)
		running(s, "1.5.0")
	})
	t.Run("an escape of which no pod is ready", func(t *testing.T) {
		s := shopSim(t, "web")
		s.gateUp, s.broken["web"] = false, true
		s.set("web", "1.5.0")
		s.pass(aWhile)
		running(s, "1.4.2")
	})
}
