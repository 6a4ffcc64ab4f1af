// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"syscall"
	"testing"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/cluster/devcluster"
)

// (c) The operator is killed at every step of a release. The step that comes next is frozen, by taking the right to do
// it from the operator or by stopping Velero, so that the moment is no matter of luck.
func TestPromise4_KilledOperatorLosesNoHoldAndStartsNoSecondBackup(t *testing.T) {
	tests := []struct {
		name string
		// reach changes the image of web and returns when the operator cannot go on, with what lets it go on again.
		reach func(a *app) (thaw func())
	}{
		{"held, and nothing done", func(a *app) func() {
			return a.refuse(right{verb: "create", group: v1alpha1.GroupName, resource: "appreleases"})
		}},
		{"release created", func(a *app) func() {
			return a.refuse(right{verb: "update", group: v1alpha1.GroupName, resource: "appreleases/status"})
		}},
		{"rollout recorded", func(a *app) func() {
			return a.refuse(right{verb: "create", group: "velero.io", resource: "backups", namespace: devcluster.VeleroNamespace})
		}},
		{"backup created", func(a *app) func() {
			a.stopVelero(a.t)
			before := a.look()
			a.setImage("web", "1.5.0")
			a.awaitBackups(before, 1)
			return func() { a.restart(a.t, devcluster.Velero) }
		}},
		{"backup completed", func(a *app) func() {
			return a.refuse(right{verb: "patch", group: "apps", resource: "deployments"})
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := newApp(t, shared, "web")
			before := a.look("web")
			thaw := test.reach(a)
			a.killOperator(t)
			thaw()
			if err := a.held(live(a, &appsv1.Deployment{}, "web")); err != nil {
				t.Error(err)
			}
			a.restart(t, operatorName)
			a.awaitStarted(before)
			a.protected(before)
			a.releasedByBackup("1.5.0")
		})
	}
}

// (c) Killed after the workload was let go and before that was written down, the operator finds out what happened.
func TestPromise4_KilledOperatorRecordsWhatItReleased(t *testing.T) {
	a := newApp(t, shared, "web")
	a.stopVelero(t)
	before := a.look("web")
	a.setImage("web", "1.5.0")
	a.await("the release says that Velero does not respond", func() error {
		return a.releaseSays("1.5.0", v1alpha1.ConditionReady, v1alpha1.ReasonVeleroNotResponding)
	})
	unrecorded := right{verb: "update", group: v1alpha1.GroupName, resource: "appreleases/status"}
	giveBack := a.withhold(t, unrecorded)
	a.restart(t, devcluster.Velero)
	a.awaitStarted(before)
	a.awaitRefused(unrecorded)
	a.killOperator(t)
	giveBack()

	a.restart(t, operatorName)
	a.releasedByBackup("1.5.0")
	a.protected(before)
}

// (c) Two operators at once, without leader election, take one backup and make one release for each rollout.
func TestPromise4_TwoOperatorsTakeOneBackup(t *testing.T) {
	const second = "backstay-2"
	if err := shared.startOperator(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := shared.cluster.KillProgram(context.Background(), second, syscall.SIGKILL); err != nil {
			t.Error(err)
		}
	})
	a := newApp(t, shared, "api", "web")
	for n := range 3 {
		version := fmt.Sprintf("1.5.%d", n)
		before := a.look("api", "web")
		a.dev.feed(manifest(deployment("api", version), deployment("web", version)), "apply", "-f", "-")
		a.awaitStarted(before)
		a.protected(before)
		a.releasedByBackup(version)
	}
	if got := a.releases(); len(got) != 3 {
		t.Errorf("there are releases %v, want three", got)
	}
}

// refuse takes a right from the operator, changes the image, and returns when the operator has missed the right.
func (a *app) refuse(r right) (thaw func()) {
	a.t.Helper()
	thaw = a.withhold(a.t, r)
	a.setImage("web", "1.5.0")
	a.awaitRefused(r)
	return thaw
}

// releasedByBackup checks what the release of a version tells in the end: one rollout, let go by its first backup.
func (a *app) releasedByBackup(version string) {
	a.t.Helper()
	rollout := a.awaitOutcome(version, v1alpha1.OutcomeRolledOut)
	if rollouts := a.release(version).Status.Rollouts; len(rollouts) != 1 {
		a.t.Errorf("release %s has %d rollouts, want 1", version, len(rollouts))
	}
	if rollout.Cause != v1alpha1.CauseHeld || rollout.Backup == nil || rollout.Backup.Attempt != 1 {
		a.t.Errorf("rollout of %s: cause %s, backup %+v", version, rollout.Cause, rollout.Backup)
	}
	for _, rec := range rollout.Workloads {
		if rec.StartReason != v1alpha1.StartBackupCompleted {
			a.t.Errorf("%s started for the reason %q, want %s", rec.Name, rec.StartReason, v1alpha1.StartBackupCompleted)
		}
	}
}
