// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/gen"
)

// Two ReplicaSets of one version may have different images: each is an escape of its own.
func TestPromise1_EachAdoptedReplicaSetOfOneVersionIsAnEscape(t *testing.T) {
	s := shopSim(t, "api", "web")
	s.edit("web", "user", gen.Paused())
	s.pass(time.Minute)
	s.adopts("web", gen.Runs("6.6.6"))
	s.pass(moment) // so soon after the first that its report may have been of both
	s.adopts("web", gen.Runs("6.6.6"), gen.Image("evil.example/other:6.6.6"))
	s.pass(time.Minute)
	if got := s.rollout("shop-6.6.6", 0); got.Number != 2 || got.Cause != v1alpha1.CauseEscaped {
		t.Errorf("the second is recorded as %+v", got)
	}
	if s.backups[s.rollout("shop-6.6.6", 0).Backup.Name] == nil {
		t.Error("the second is not backed up")
	}
}

// What escapes after the backup of an earlier escape to the same version began is backed up too.
func TestPromise1_LaterEscapeToTheSameVersionHasItsOwnBackup(t *testing.T) {
	s := shopSim(t, "api", "web")
	s.broken["api"] = true // its rollout goes on
	s.escape("api", "1.5.0")
	s.pass(time.Minute)
	s.mustHaveBackups(1)
	s.escape("web", "1.5.0")
	s.pass(time.Minute)
	s.mustHaveBackups(2)
	if ro := s.rollout("shop-1.5.0", 0); ro.Cause != v1alpha1.CauseEscaped || ro.Number != 2 || len(ro.Workloads) != 1 {
		t.Errorf("it is recorded as %+v", ro)
	}
}

// Whoever makes the probe fail, by a workload that the API server refuses to change, does not make an escape look expected.
func TestPromise1_EscapeIsOneThoughTheProbeFails(t *testing.T) {
	s := shopSim(t, "api", "web")
	s.probeFailed()
	s.adopts("web", gen.Runs("6.6.6"))
	s.settle()
	s.mustBeEscaped("6.6.6")
}

// probeFailed makes the plan say that it could not probe the gate.
func (s *sim) probeFailed() {
	p := s.plans[shop].DeepCopy()
	c := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionGated)
	c.Status, c.Reason = metav1.ConditionFalse, v1alpha1.ReasonProbeFailed
	s.stored(p)
	s.plans[shop] = p
}

// A plan that changes what means a restart, when nothing is left of what ran, does not forget it.
func TestPromise1_ChangedRestartAnnotationsHideNoChangeOutsideThePlan(t *testing.T) {
	s := shopSim(t, "api", "web")
	s.edit("web", "user", gen.Label(gen.LabelPartOf, "nothing"))
	s.pass(time.Minute)
	ran := s.setsOf(s.deployments["web"])[0]
	s.set("web", "1.5.0")
	s.pass(time.Minute)
	delete(s.sets, ran.Name)
	s.editPlan(shop, gen.RestartAnnotations("example.com/restarted"))
	s.pass(moment)
	s.edit("web", "user", gen.Label(gen.LabelPartOf, shop))
	s.pass(moment)
	s.mustBeEscaped("1.5.0")
}
