// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/gen"
)

// recreateOver deletes a Deployment without its ReplicaSets, and creates another of its name, which adopts them. In between
// something else may happen.
func (s *sim) recreateOver(d *appsv1.Deployment, between ...func()) {
	old := s.deployments[d.Name]
	for _, set := range s.setsOf(old) { // the garbage collector takes the owner off first
		set = set.DeepCopy()
		set.OwnerReferences = []metav1.OwnerReference{{UID: old.UID}}
		s.storeSet(set)
	}
	s.tell()
	for _, f := range between {
		f()
	}
	s.remember()
	delete(s.deployments, d.Name)
	s.tell()
	for _, f := range between {
		f()
	}
	s.createDeployment(d)
	for _, f := range between {
		f()
	}
	for _, set := range s.setsOf(old) {
		set = set.DeepCopy()
		set.OwnerReferences = gen.ReplicaSet(d, 1, 1, s.now).OwnerReferences
		s.storeSet(set)
	}
	s.tell()
}

// A Deployment that is deleted without its ReplicaSets and created again adopts them, and rolls over their pods: its creation
// is not held.
func TestPromise1_DeploymentThatRollsOverOrphanedPodsIsAnEscape(t *testing.T) {
	for name, recreate := range map[string]func(*sim, *appsv1.Deployment){
		"over a ReplicaSet of its own": func(s *sim, d *appsv1.Deployment) {
			s.recreateOver(d, s.settle)
			own := gen.ReplicaSet(d, 99, 1, s.now.Add(-5*time.Second))
			s.storeSet(own)
			own.CreationTimestamp = metav1.NewTime(s.now.Add(-5 * time.Second))
			s.tell()
		},
		"with the label of a restore": func(s *sim, d *appsv1.Deployment) {
			gen.Label(velerov1.RestoreNameLabel, "none")(d)
			s.recreateOver(d, s.settle)
		},
		"from a ReplicaSet that was changed": func(s *sim, d *appsv1.Deployment) {
			s.recreateOver(d, s.settle)
			set := s.setsOf(d)[0].DeepCopy()
			d.Spec.Template.DeepCopyInto(&set.Spec.Template)
			s.storeSet(set)
			s.tell()
		},
		"in one moment":     func(s *sim, d *appsv1.Deployment) { s.recreateOver(d) },
		"seen at each step": func(s *sim, d *appsv1.Deployment) { s.recreateOver(d, s.settle) },
		"the release's record is refused at first": func(s *sim, d *appsv1.Deployment) {
			s.recreateOver(d)
			s.roll()
			s.op.refuses = func(obj client.Object) bool { _, is := obj.(*v1alpha1.AppRelease); return is }
			s.settle()
			s.op.refuses = nil
		},
		"no operator running": func(s *sim, d *appsv1.Deployment) { s.away(func() { s.recreateOver(d); s.pass(moment) }) },
	} {
		t.Run(name, func(t *testing.T) {
			s := shopSim(t, "api", "web")
			recreate(s, gen.Deployment("web", gen.Runs("1.5.0")))
			s.pass(moment)
			if s.releases["shop-1.4.2"] != nil {
				t.Error("the version that ran before is reported too")
			}
			ro := s.rollout("shop-1.5.0", 0)
			if ro.Cause != v1alpha1.CauseEscaped || ro.Workloads[0].StartReason != v1alpha1.StartNotHeld {
				t.Errorf("it is recorded as %s %s", ro.Cause, ro.Workloads[0].StartReason)
			}
			s.pass(aWhile)
			s.mustHaveBackups(1)
			s.mustRest()
		})
	}
}

// Created again with the template that ran, nothing new starts.
func TestDeploymentThatIsCreatedAgainAsItWasIsNoEscape(t *testing.T) {
	s := shopSim(t, "api", "web")
	s.recreateOver(gen.Deployment("web", gen.Runs("1.4.2")))
	s.pass(aWhile)
	s.mustHaveBackups(0)
	mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionTrue, v1alpha1.ReasonReconciled)
}

// Where the Deployment is older than the plan, the plan begins from whatever it runs.
func TestRolloverFromBeforeThePlanIsNoEscape(t *testing.T) {
	s := newSim(t)
	s.createDeployment(gen.Deployment("web", gen.Runs("1.4.2")))
	s.pass(time.Minute)
	s.recreateOver(gen.Deployment("web", gen.Runs("1.5.0")))
	s.pass(time.Minute)
	s.createPlan(gen.Plan(shop))
	s.pass(aWhile)
	s.mustHaveBackups(0)
	mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionTrue, v1alpha1.ReasonReconciled)
}

// Velero restores ReplicaSets before their Deployment, which adopts them, in the middle of a rollout if the backup was taken in one.
func TestRestoredDeploymentThatAdoptsItsReplicaSetsIsNoEscape(t *testing.T) {
	s := shopSim(t, "api", "web")
	s.pass(time.Minute)
	s.deleteDeployment("web")
	s.pass(time.Minute)
	d := gen.Deployment("web", gen.Runs("1.5.0"), gen.Label(velerov1.RestoreNameLabel, "restore"))
	older := gen.ReplicaSet(gen.Deployment("web", gen.Runs("1.4.2")), 7, 1, s.now)
	s.now = s.now.Add(time.Second)
	asked := gen.ReplicaSet(d, 8, 1, s.now)
	s.createDeployment(d)
	s.settle()
	for _, set := range []*appsv1.ReplicaSet{older, asked} {
		s.storeSet(set)
		set.CreationTimestamp = metav1.NewTime(s.now)
		set.OwnerReferences[0].UID = d.UID
	}
	older.CreationTimestamp = metav1.NewTime(s.now.Add(-time.Second))
	s.tell()
	s.pass(aWhile)
	s.mustHaveBackups(0)
	mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionTrue, v1alpha1.ReasonReconciled)
}

// A workload whose first escape could not be recorded before the next one was is remembered from that one on. To wait for the first, which
// is not to be seen any more, would be to write the last start anew at every look, and to void each backup by that.
func TestWorkloadWhoseFirstEscapeWasNotRecordedComesToRest(t *testing.T) {
	s := shopSim(t, "api")
	s.op.refuses = func(obj client.Object) bool { _, is := obj.(*v1alpha1.AppRelease); return is }
	s.createDeployment(gen.Deployment("web", gen.Runs("1.5.0")))
	s.adopts("web", gen.Runs("1.4.2")) // and rolls over it
	s.pass(moment)
	s.escape("web", "1.6.0")
	s.op.refuses = nil
	s.pass(aWhile)
	if ro := s.rollout("shop-1.6.0", 0); ro.Cause != v1alpha1.CauseEscaped {
		t.Errorf("it is recorded as %s", ro.Cause)
	}
	s.mustRest()
	s.now = s.now.Add(time.Minute)
	s.mustRest()
}

// Two templates that a workload started over orphaned pods are two escapes, though both are seen in the same look.
func TestPromise1_EachTemplateThatRollsOverOrphanedPodsIsAnEscape(t *testing.T) {
	s := shopSim(t, "api")
	s.broken["web"] = true
	s.away(func() {
		s.createDeployment(gen.Deployment("web", gen.Runs("1.5.0")))
		s.adopts("web", gen.Runs("1.4.2"))
		s.pass(moment)
		s.escape("web", "1.6.0")
	})
	s.pass(time.Minute)
	for _, version := range []string{"1.5.0", "1.6.0"} {
		if ro := s.rollout("shop-"+version, 0); ro.Cause != v1alpha1.CauseEscaped {
			t.Errorf("%s is recorded as %s", version, ro.Cause)
		}
	}
	s.mustRest()
	s.now = s.now.Add(time.Minute)
	s.mustRest()
}
