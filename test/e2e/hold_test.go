// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/workload"
	"github.com/backstay-dr/backstay/test/cluster/devcluster"
)

// (d) Without Velero a rollout is held, says so within five seconds, and goes on when Velero returns.
func TestPromise5_VeleroStoppedIsToldAndTheRolloutGoesOnAfterwards(t *testing.T) {
	a := newApp(t, shared, "web")
	a.stopVelero(t)
	before := a.look("web")

	changed := time.Now()
	a.dev.run("set", "image", "deployment/web", "web="+image("web", "1.5.0"))
	const limit = 5 * time.Second
	a.awaitWithin(limit, "the release says that Velero does not respond", func() error {
		return a.releaseSays("1.5.0", v1alpha1.ConditionReady, v1alpha1.ReasonVeleroNotResponding)
	})
	a.awaitWithin(limit-time.Since(changed), "the plan says so too", func() error {
		held := a.plan().Status.Held
		if len(held) != 1 || held[0].Reason != v1alpha1.ReasonVeleroNotResponding {
			return fmt.Errorf("it lists as held: %+v", held)
		}
		return nil
	})
	t.Logf("told after %s", time.Since(changed).Round(100*time.Millisecond))
	for _, command := range []string{"drplans", "appreleases"} {
		if out := a.dev.run("get", command, "-o", "wide"); !strings.Contains(out, v1alpha1.ReasonVeleroNotResponding) {
			t.Errorf("kubectl get %s -o wide says nothing of it:\n%s", command, out)
		}
	}
	if err := a.held(live(a, &appsv1.Deployment{}, "web")); err != nil {
		t.Error(err)
	}

	a.restart(t, devcluster.Velero)
	a.awaitStarted(before)
	a.protected(before)
}

// (f) A change that is taken back while it is held is let go at once: nothing new starts, and nothing waits.
func TestRevertWhileHeldIsReleasedWithoutABackup(t *testing.T) {
	a := newApp(t, shared, "web")
	a.stopVelero(t) // From here on no backup can be completed.
	before := a.look("web")
	a.setImage("web", "1.5.0")
	a.awaitHeld("web")

	a.setImage("web", firstVersion)
	a.await("the hold is gone", func() error { return a.runs("web", firstVersion) })
	a.awaitOutcome("1.5.0", v1alpha1.OutcomeReverted)
	if starts := a.startsOf(a.namespace, "web")[before.starts["web"]:]; len(starts) > 0 {
		t.Errorf("%s started", starts[0].set.Name)
	}
	if a.everRan(a.namespace, image("web", "1.5.0")) {
		t.Error("a pod of the version that was taken back ran")
	}
	for _, b := range a.newBackups(before) {
		if a.completedAt(&b) != 0 {
			t.Errorf("backup %s was Completed: the test cannot tell that nothing waited for it", b.Name)
		}
	}
}

// (f) A second edit while held belongs to the same hold, and its backup serves it: nothing has changed under it.
func TestSecondEditWhileHeldIsCoveredByTheSameBackup(t *testing.T) {
	tests := []struct {
		name    string
		edit    func(a *app)
		version string // that is rolled out in the end
	}{
		{"another version", func(a *app) { a.setImage("web", "1.5.1") }, "1.5.1"},
		{"another setting", func(a *app) { a.dev.run("set", "env", "deployment/web", "SETTING=2") }, "1.5.0"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := newApp(t, shared, "web")
			a.stopVelero(t)
			before := a.look("web")
			a.setImage("web", "1.5.0")
			a.awaitBackups(before, 1)
			test.edit(a)
			a.await("the operator has seen the second edit", func() error { return a.recordsHeldTemplate(test.version, "web") })
			if err := a.held(live(a, &appsv1.Deployment{}, "web")); err != nil {
				t.Error(err)
			}

			a.restart(t, devcluster.Velero)
			a.awaitStarted(before)
			a.protected(before) // one backup, one start
			a.releasedByBackup(test.version)
			if test.version != "1.5.0" {
				a.awaitOutcome("1.5.0", v1alpha1.OutcomeSuperseded)
				if a.everRan(a.namespace, image("web", "1.5.0")) {
					t.Error("a pod of the version that was never let go ran")
				}
			}
		})
	}
}

// A rollback is held, and its workload is scaled to none and up again: the Deployment controller starts the ReplicaSet of the
// held template, which no admission policy sees. It is told as an escape, and backed up.
func TestScalingUpFromNoneWhatIsHeldIsToldAndBackedUp(t *testing.T) {
	a := newApp(t, shared, "web")
	a.setImage("web", "1.5.0")
	a.awaitOutcome("1.5.0", v1alpha1.OutcomeRolledOut)
	a.stopVelero(t)
	a.setImage("web", firstVersion)
	a.awaitHeld("web")
	for _, replicas := range []int32{0, 2} {
		a.dev.run("scale", "deployment/web", fmt.Sprintf("--replicas=%d", replicas))
		a.await("scaled", func() error {
			if got := a.deployment("web").Status.Replicas; got != replicas {
				return fmt.Errorf("%d replicas", got)
			}
			return nil
		})
	}
	a.await("the release tells of it", func() error { return a.releaseSays(firstVersion, v1alpha1.ConditionReady, v1alpha1.ReasonEscaped) })
	a.await("the plan does too", func() error { return a.planSays(v1alpha1.ConditionReady, v1alpha1.ReasonEscaped) })
	a.await("an event warns", func() error { return a.warned("Deployment", "web", v1alpha1.ReasonEscaped, "bypassed the gate") })
	a.await("the hold is gone, since it holds nothing any more", func() error { return a.runs("web", firstVersion) })
	a.restart(t, devcluster.Velero)
	a.await("backed up", func() error { return a.planSays(v1alpha1.ConditionReady, v1alpha1.ReasonReconciled) })
}

// recordsHeldTemplate says why the release of a version does not know that a Deployment is held with the template that
// it has now.
func (a *app) recordsHeldTemplate(version, name string) error {
	rollouts := a.release(version).Status.Rollouts
	if len(rollouts) != 1 || len(rollouts[0].Workloads) != 1 {
		return fmt.Errorf("the release has rollouts %+v", rollouts)
	}
	want := workload.FromDeployment(a.deployment(name), nil).Template.Hash
	if rec := rollouts[0].Workloads[0]; rec.State != v1alpha1.WorkloadHeld || rec.TemplateHash != want {
		return fmt.Errorf("it records %+v, want template %s", rec, want)
	}
	return nil
}

// (f) What starts while a rollout is held makes its backup worthless: it shows the state before that start. The rollout
// waits for another one.
func TestPromise1_NoReleaseByABackupOlderThanTheLastStart(t *testing.T) {
	a := newApp(t, shared, "api", "web")
	a.stopVelero(t)
	before := a.look("web")
	a.setImage("web", "1.5.0")
	a.awaitBackups(before, 1)
	old := a.newBackups(before)[0]

	// The administrator lets another workload start without a backup.
	a.root.run("patch", "deployment", "api", "--patch", fmt.Sprintf(
		`{"metadata":{"annotations":{%q:"outage"}},"spec":{"template":{"spec":{"containers":[{"name":"api","image":%q}]}}}}`,
		v1alpha1.AnnotationOverride, image("api", "1.4.3")))
	a.await("api runs its new version", func() error { return a.runs("api", "1.4.3") })
	starts := a.startsOf(a.namespace, "api")
	overriding := starts[len(starts)-1]

	a.restart(t, devcluster.Velero)
	a.awaitStarted(before)
	rollout := a.awaitOutcome("1.5.0", v1alpha1.OutcomeRolledOut)
	if rollout.Backup.Name == old.Name {
		t.Errorf("web was released by backup %s of %s; api started at %s", old.Name, old.CreationTimestamp, overriding.set.CreationTimestamp)
	}
	used := a.backup(rollout.Backup.Name)
	a.after(a.startsOf(a.namespace, "web")[before.starts["web"]], &used)
	if !used.CreationTimestamp.After(overriding.set.CreationTimestamp.Time) {
		t.Errorf("backup %s was created at %s, api started at %s", used.Name, used.CreationTimestamp, overriding.set.CreationTimestamp)
	}
}
