// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"maps"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/gen"
)

// adopts makes a Deployment own a ReplicaSet of somebody's, with a pod.
func (s *sim) adopts(name string, template ...gen.DeploymentOption) *appsv1.ReplicaSet {
	d := s.deployments[name].DeepCopy()
	for _, o := range template {
		gen.ApplyToDeployment(d, o)
	}
	set := gen.ReplicaSet(d, 1000+s.count, 1, s.now)
	s.storeSet(set)
	s.truth.adopted(s.world, d)
	s.tell()
	s.say("user", "%s adopts a ReplicaSet of %s", name, versionOf(d))
	return set
}

// held is a shop whose "web" is held with 1.5.0 while Velero does nothing.
func held(t *testing.T) *sim {
	t.Helper()
	s := shopSim(t, "api", "web")
	s.velero.down = true
	s.set("web", "1.5.0")
	s.pass(10 * time.Second)
	s.mustHold("web")
	return s
}

// mustBeEscaped fails the test unless plan and release say that something of a version bypassed the gate.
func (s *sim) mustBeEscaped(version string) {
	s.Helper()
	mustBe(s, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonEscaped)
	mustBe(s, s.releaseCondition("shop-"+version, v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonEscaped)
	if why := s.rollout("shop-"+version, 0).Workloads[0].StartReason; why != v1alpha1.StartNotHeld {
		s.Errorf("%s started, and is recorded as %q", version, why)
	}
}

// A ReplicaSet of the held template that nobody owns is adopted, and its pod runs before the backup began. That is an escape, told at
// once; the rest stays held, and its release never says that a backup came before it.
func TestPromise1_AdoptedReplicaSetOfTheHeldTemplateIsAnEscape(t *testing.T) {
	s := held(t)
	s.adopts("web")
	s.settle()
	s.mustBeEscaped("1.5.0")
	s.mustHold("web")
	s.pass(moment)
	s.mustHold("web")
	s.velero.down = false
	s.pass(time.Minute)
	s.mustRun("web", "1.5.0")
	ro := s.rollout("shop-1.5.0", 0)
	if why := ro.Workloads[0].StartReason; why != v1alpha1.StartNotHeld {
		t.Errorf("it is recorded as %s", why)
	}
	mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionTrue, v1alpha1.ReasonReconciled)
	s.mustRest()
}

// The annotation of the desired replicas makes the Deployment controller finish the held rollout by the adopted ReplicaSet.
func TestPromise1_AdoptedReplicaSetThatReplacesEverythingIsAnEscape(t *testing.T) {
	s := held(t)
	for _, set := range s.setsOf(s.deployments["web"]) {
		s.scale(set, 0)
	}
	d := s.deployments["web"]
	s.truth.running[d.UID] = hashOf(d)
	s.adopts("web")
	s.settle()
	s.mustBeEscaped("1.5.0")
	s.velero.down = false
	s.pass(time.Minute)
	s.mustRun("web", "1.5.0")
	if n := len(s.backups); n == 0 {
		t.Error("it was not backed up")
	}
	s.mustRest()
}

// A ReplicaSet of a template that nobody asked for, held or not.
func TestPromise1_AdoptedReplicaSetOfAnotherTemplateIsAnEscape(t *testing.T) {
	for name, story := range map[string]func(*testing.T) *sim{
		"held":     held,
		"not held": func(t *testing.T) *sim { s := shopSim(t, "api", "web"); s.velero.down = true; return s },
	} {
		t.Run(name, func(t *testing.T) {
			s := story(t)
			s.adopts("web", gen.Runs("6.6.6"))
			s.settle()
			if ro := s.rollout("shop-6.6.6", 0); ro.Cause != v1alpha1.CauseEscaped {
				t.Errorf("it is recorded as %s", ro.Cause)
			}
		})
	}
}

// Under a pause nothing replaces the pods of a ReplicaSet whose template was changed.
func TestPromise1_ChangedTemplateOfAReplicaSetIsAnEscape(t *testing.T) {
	s := shopSim(t, "api", "web")
	s.edit("web", "user", gen.Paused())
	s.pass(time.Minute)
	set := s.setsOf(s.deployments["web"])[0].DeepCopy()
	set.Spec.Template.Spec.Containers[0].Image = "registry.example/web:6.6.6"
	set.Spec.Template.Labels = maps.Clone(set.Spec.Template.Labels)
	set.Spec.Template.Labels[gen.LabelVersion] = "6.6.6"
	s.storeSet(set)
	s.tell()
	s.settle()
	s.mustBeEscaped("6.6.6")
	s.pass(time.Minute)
	s.mustHaveBackups(1)
}

// Label off, change, label on.
func TestPromise1_ChangeOutsideThePlanIsAnEscapeWhenItComesBack(t *testing.T) {
	s := shopSim(t, "api", "web")
	s.edit("web", "user", gen.Label(gen.LabelPartOf, "nothing"))
	s.pass(time.Minute)
	s.set("web", "1.5.0")
	s.pass(time.Minute)
	if got := s.plans[shop].Status.Departed; len(got) != 1 || got[0].Name != "web" {
		t.Errorf("the plan remembers %+v", got)
	}
	s.velero.down = true
	s.edit("web", "user", gen.Label(gen.LabelPartOf, shop))
	s.settle()
	s.mustBeEscaped("1.5.0")
	s.velero.down = false
	s.pass(aWhile)
	s.mustHaveBackups(1)
	if got := s.plans[shop].Status.Departed; len(got) != 0 {
		t.Errorf("the plan still remembers %+v", got)
	}
	s.edit("web", "user", gen.Label(gen.LabelPartOf, "nothing"))
	s.pass(moment)
	s.deleteDeployment("web")
	s.edit("api", "user", gen.Label("team", "red")) // something makes it look
	s.pass(moment)
	if got := s.plans[shop].Status.Departed; len(got) != 0 {
		t.Errorf("the plan remembers what does not exist: %+v", got)
	}
}

// movedByAnotherPlan is a shop whose "web" left it, was rolled out to 1.5.0 under another plan, and came back.
func movedByAnotherPlan(t *testing.T) *sim {
	t.Helper()
	s := shopSim(t, "api", "web")
	s.createPlan(gen.Plan(till))
	s.pass(moment)
	s.edit("web", "user", gen.Label(gen.LabelPartOf, till))
	s.pass(moment)
	s.set("web", "1.5.0")
	s.pass(time.Minute)
	s.mustRun("web", "1.5.0")
	s.edit("web", "user", gen.Label(gen.LabelPartOf, shop))
	s.pass(time.Minute)
	return s
}

// What another plan admitted meanwhile did not escape.
func TestChangeThatAnotherPlanAdmittedIsNoEscape(t *testing.T) {
	s := movedByAnotherPlan(t)
	mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionTrue, v1alpha1.ReasonReconciled)
	s.mustHaveBackups(1)
}

// That it was admitted once is no admission for ever: what comes back by another way escaped again.
func TestPromise1_TemplateThatWasAdmittedBeforeEscapesLikeAnyOther(t *testing.T) {
	s := shopSim(t, "api", "web")
	s.set("web", "1.5.0")
	s.pass(time.Minute)
	s.escape("web", "1.6.0")
	s.pass(time.Minute)
	s.escape("web", "1.5.0")
	if ro := s.rollout("shop-1.5.0", 0); ro.Cause != v1alpha1.CauseEscaped || ro.Number != 2 {
		t.Errorf("it is recorded as rollout %d, %s", ro.Number, ro.Cause)
	}
}

// Nor is a rollback that is started under its hold, by scaling up from none.
func TestPromise1_RollbackToWhatWasAdmittedBeforeIsHeldLikeAnyOther(t *testing.T) {
	s := shopSim(t, "api", "web")
	s.set("web", "1.5.0")
	s.pass(time.Minute)
	s.set("web", "1.6.0")
	s.pass(time.Minute)
	s.velero.down = true
	s.set("web", "1.5.0")
	s.pass(moment)
	s.edit("web", "autoscaler", gen.Replicas(0))
	s.pass(moment)
	s.edit("web", "autoscaler", gen.Replicas(1))
	s.pass(moment)
	if why := s.rollout("shop-1.5.0", 0).Workloads[0].StartReason; why != v1alpha1.StartNotHeld {
		t.Errorf("it is recorded as %q", why)
	}
}

// A Deployment that is created as a restore would create it, held, has no more rights than another: what it adopts is an escape.
func TestPromise1_WorkloadThatLooksRestoredIsWatchedLikeAnyOther(t *testing.T) {
	s := shopSim(t, "api", "web")
	s.velero.down = true
	s.pass(time.Minute)
	s.recreateOver(gen.Deployment("web", gen.Runs("1.4.2"), gen.Held(ns, shop)))
	s.adopts("web", gen.Runs("6.6.6"))
	s.pass(moment)
	s.mustBeEscaped("6.6.6")
	s.adopts("web", gen.Runs("7.7.7"))
	s.pass(moment)
	s.mustBeEscaped("7.7.7")
}

// A plan that changes what means a restart does not forget what ran: what is adopted in that moment is no older for it.
func TestPromise1_ChangedRestartAnnotationsHideNothing(t *testing.T) {
	s := held(t)
	s.away(func() {
		s.adopts("web", gen.Runs("9.9.9"))
		s.editPlan(shop, gen.RestartAnnotations("example.com/restarted"))
	})
	s.pass(moment)
	s.mustBeEscaped("9.9.9")
}

// A change that a paused Deployment carried before there was a plan starts when it is resumed, in whatever state it was paused.
func TestPromise1_ChangeFromBeforeThePlanIsAnEscapeWhenItStarts(t *testing.T) {
	for name, prepare := range map[string]func(s *sim){
		"running": func(*sim) {},
		"scaled to none": func(s *sim) {
			s.edit("web", "user", gen.Replicas(0))
			s.pass(moment)
		},
		"in the middle of a rollout": func(s *sim) {
			s.broken["web"] = true
			s.set("web", "1.4.3")
			s.pass(5 * time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSim(t)
			s.createDeployment(gen.Deployment("web", gen.Runs("1.4.2")))
			s.createDeployment(gen.Deployment("api", gen.Runs("1.4.2")))
			s.pass(time.Minute)
			prepare(s)
			s.edit("web", "user", gen.Paused(), gen.Runs("1.5.0"))
			s.pass(moment)
			s.createPlan(gen.Plan(shop, gen.Planned("1.4.2")))
			s.pass(5 * time.Second)
			s.broken["web"] = false
			s.edit("web", "user", resume(), gen.Replicas(1))
			s.pass(moment)
			if ro := s.rollout("shop-1.5.0", 0); ro.Cause != v1alpha1.CauseEscaped {
				t.Errorf("it is recorded as %s", ro.Cause)
			}
		})
	}
}

// A second plan with a short deadline is no way around the first: what it let start without a backup is an escape of the first.
func TestPromise1_StartThatAWeakerPlanAllowedIsAnEscape(t *testing.T) {
	s := shopSim(t, "api", "web")
	s.createPlan(gen.Plan("zz", gen.Selects("team", "blue"), gen.Deadline(60, v1alpha1.DeadlineRelease)))
	s.pass(moment)
	s.velero.down = true
	s.edit("web", "user", gen.Label(gen.LabelPartOf, "nothing"))
	s.edit("web", "user", gen.Label("team", "blue"))
	s.set("web", "1.5.0")
	s.pass(2 * time.Minute)
	s.mustRun("web", "1.5.0")
	s.deletePlan("zz")
	s.edit("web", "user", gen.Label(gen.LabelPartOf, shop))
	s.pass(moment)
	s.mustBeEscaped("1.5.0")
}

// A plan of one workload that left it has nothing to probe the gate with. The change that comes back escaped all the same.
func TestChangeOutsideAPlanOfOneWorkloadIsAnEscape(t *testing.T) {
	s := shopSim(t, "web")
	s.edit("web", "user", gen.Label(gen.LabelPartOf, "nothing"))
	s.pass(5 * time.Second)
	s.set("web", "1.5.0")
	s.pass(5 * time.Second)
	s.edit("web", "user", gen.Label(gen.LabelPartOf, shop))
	s.settle()
	if ro := s.rollout("shop-1.5.0", 0); ro.Cause != v1alpha1.CauseEscaped {
		t.Errorf("it is recorded as %s", ro.Cause)
	}
}
