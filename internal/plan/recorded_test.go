// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"maps"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/plan"
	"github.com/backstay-dr/backstay/test/gen"
)

// overrides are all that the releases record.
func (s *sim) overrides() []*v1alpha1.Override {
	var out []*v1alpha1.Override
	for _, name := range sorted(s.releases) {
		for _, ro := range s.releases[name].Status.Rollouts {
			for _, rec := range ro.Workloads {
				if rec.Override != nil {
					out = append(out, rec.Override)
				}
			}
		}
	}
	return out
}

// CI may name an image after it was rolled out: what that runs is called so from then on, by backups too.
func TestPromise2_BackupIsLabelledByTheNameThatARunningVersionGotSince(t *testing.T) {
	s := shopSim(t, "web")
	s.set("web", "1.5.0")
	s.pass(aWhile)
	s.createRelease(gen.Release(shop, "2026.1", gen.Artifact("registry.example/web:1.5.0", "")))
	s.pass(aWhile)
	s.set("web", "1.6.0")
	s.pass(moment)
	if got := s.plans[shop].Status.Versions.Running; got != "2026.1" {
		t.Errorf("running %q", got)
	}
	if got := s.backups[s.rollout("shop-1.6.0", 0).Backup.Name].Annotations[v1alpha1.AnnotationVersion]; got != "2026.1" {
		t.Errorf("the backup captured %q", got)
	}
}

// While the operator was down an older version was let start by an override, and the newer one is asked for again: both run.
func TestPromise1_ReturnFromAnOverrideThatNobodySawIsNoRevert(t *testing.T) {
	s := shopSim(t, "web")
	s.set("web", "1.5.0")
	s.pass(aWhile)
	s.velero.down = true
	s.set("web", "1.4.2")
	s.pass(moment)
	s.away(func() {
		s.broken["web"] = true
		s.edit("web", admin, override("it burns"))
		s.pass(moment)
		s.set("web", "1.5.0")
		s.pass(moment)
		s.broken["web"] = false
	})
	s.pass(moment)
	s.mustHold("web")
	if got := s.overrides(); len(got) != 1 || got[0].Reason != "it burns" {
		t.Errorf("recorded overrides: %+v", got)
	}
}

// What was overridden is recorded though it did not replace what ran before.
func TestOverrideThatNobodySawIsRecordedThoughTwoRevisionsRun(t *testing.T) {
	s := shopSim(t, "web")
	s.away(func() {
		s.broken["web"] = true
		s.edit("web", admin, gen.Runs("1.5.0"), override("it burns"))
		s.pass(moment)
		s.set("web", "1.6.0")
		s.pass(moment)
	})
	s.pass(moment)
	if got := s.rollout("shop-1.5.0", 0).Workloads[0].Override; got == nil || got.Reason != "it burns" {
		t.Errorf("recorded: %+v", got)
	}
}

// Where no gate is in force anybody may write the record of an override: it is worth nothing.
func TestRecordOfAnOverrideThatNoGateWroteIsWorthNothing(t *testing.T) {
	for name, open := range map[string]func(s *sim){
		"the plan observes":    func(s *sim) { s.editPlan(shop, gen.Mode(v1alpha1.GateModeObserve)) },
		"policies are missing": func(s *sim) { s.gateUp = false; s.editPlan(shop) },
	} {
		t.Run(name, func(t *testing.T) {
			s := shopSim(t, "web")
			open(s)
			s.pass(moment)
			s.edit("web", "user", gen.Runs("1.5.0"), gen.Annotation(v1alpha1.AnnotationOverriddenBy, "boss"),
				gen.Annotation(v1alpha1.AnnotationOverrideReason, "I said so"))
			s.pass(aWhile)
			if got := s.overrides(); len(got) > 0 {
				t.Errorf("recorded: %+v", got[0])
			}
			s.mustHaveBackups(1)
			if v := view(s.deployments["web"]); v.Override != nil {
				t.Errorf("the forged record is left on the workload: %+v", v.Override)
			}
		})
	}
}

// A new version every 40 seconds does not put a deadline of 60 off.
func TestDeadlineComesHoweverOftenTheVersionChanges(t *testing.T) {
	s := shopSim(t, "web")
	s.editPlan(shop, gen.Deadline(60, v1alpha1.DeadlineRelease))
	s.velero.down = true
	for _, version := range []string{"1.5.0", "1.6.0"} {
		s.set("web", version)
		s.pass(40 * time.Second)
	}
	s.mustRun("web", "1.6.0")
	s.set("web", "1.7.0") // the next hold has a deadline of its own
	s.pass(40 * time.Second)
	s.mustHold("web")
}

// After a handover of the lease the cache of Backups may be behind that of releases: a backup that it does not show is not
// lost, once it does.
func TestPromise4_BackupThatTheCacheShowsLateIsNotTakenAgain(t *testing.T) {
	s := shopSim(t, "web")
	s.velero.duration = time.Minute
	s.set("web", "1.5.0")
	s.pass(aWhile)
	behind := s.op.caches()
	behind.backups = nil
	in := s.op.observe(behind, shop)
	d := plan.Decide(in, s.op.finding(in))
	if len(d.Lost) != 1 {
		t.Fatal("the test expects that a backup which is not there is taken for lost")
	}
	if err := s.op.apply(behind, in, d); !apierrors.IsConflict(err) {
		t.Errorf("it is recorded as lost, without a look at the API server: %v", err)
	}
	s.pass(2 * time.Minute)
	s.mustRun("web", "1.5.0")
	s.mustHaveBackups(1)
}

// A workload that leaves the plan, starts something and comes back changes what a backup holds, though no plan held it.
func TestPromise1_StartOutsideThePlanVoidsTheBackup(t *testing.T) {
	s := shopSim(t, "api", "web")
	s.velero.duration = 20 * time.Second
	s.set("api", "1.5.0")
	s.pass(5 * time.Second)
	s.edit("web", "user", gen.Changed(func(d *appsv1.Deployment) {
		d.Labels = maps.Clone(d.Labels)
		delete(d.Labels, gen.LabelPartOf)
	}))
	s.pass(moment)
	s.set("web", "1.6.0")
	s.pass(moment)
	s.edit("web", "user", gen.Label(gen.LabelPartOf, shop))
	s.pass(time.Minute)
	s.mustRun("api", "1.5.0")
	s.mustHaveBackups(3) // and one of what escaped
}

// The plan was created while a rollout was stuck in flight: both revisions run, and to ask for the newer one again starts
// nothing.
func TestRevertInTheMiddleOfARolloutThatThePlanFoundIsLetGo(t *testing.T) {
	s := newSim(t)
	s.createDeployment(gen.Deployment("web", gen.Runs("1.4.2")))
	s.pass(time.Minute)
	s.broken["web"] = true
	s.set("web", "1.5.0")
	s.pass(5 * time.Second)
	s.createPlan(gen.Plan(shop, gen.Planned("1.4.2")))
	s.pass(5 * time.Second)
	s.velero.down = true
	s.set("web", "1.6.0")
	s.pass(moment)
	s.set("web", "1.5.0")
	s.pass(moment)
	if v := view(s.deployments["web"]); v.Held() {
		t.Error("the revert waits for a backup")
	}
}
