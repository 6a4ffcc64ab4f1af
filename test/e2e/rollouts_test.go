// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"testing"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// (a) Rollouts by twenty different means: each waits for a backup of its own. Rollouts of one plan follow one another,
// so they are spread over several.
func TestPromise1_NoNewRevisionBeforeItsBackup(t *testing.T) {
	t.Parallel()
	const lanes = 5
	for lane := range lanes {
		t.Run(fmt.Sprintf("lane %d", lane+1), func(t *testing.T) {
			t.Parallel()
			a := newApp(t, shared, "web")
			for n := lane; n < len(allMeans); n += lanes {
				t.Run(allMeans[n].name, func(t *testing.T) { a.on(t).rollOutBy(allMeans[n], fmt.Sprintf("1.5.%d", n)) })
			}
		})
	}
}

// on is the same application in a subtest.
func (a *app) on(t *testing.T) *app {
	b := *a
	b.t = t
	dev, root := *a.dev, *a.root
	dev.t, root.t = t, t
	b.dev, b.root = &dev, &root
	return &b
}

func (a *app) rollOutBy(m means, version string) {
	a.t.Helper()
	before := a.look("web")
	m.change(a, version)
	a.awaitStarted(before)
	a.protected(before)
}

// (e) Several Deployments that change together are one release with one backup.
func TestThreeDeploymentsShareOneReleaseAndOneBackup(t *testing.T) {
	t.Parallel()
	names := []string{"api", "web", "worker"}
	a := newApp(t, shared, names...)
	before := a.look(names...)
	a.dev.feed(manifest(deployment("api", "1.5.0"), deployment("web", "1.5.0"), deployment("worker", "1.5.0")), "apply", "-f", "-")
	a.awaitStarted(before)
	a.protected(before)

	rollout := a.awaitOutcome("1.5.0", v1alpha1.OutcomeRolledOut)
	if len(rollout.Workloads) != len(names) {
		t.Errorf("the rollout has %d workloads, want %d: %+v", len(rollout.Workloads), len(names), rollout.Workloads)
	}
	if releases := a.releases(); len(releases) != 1 {
		t.Errorf("there are releases %v, want one", releases)
	}
}

// A release that is announced is backed up before anything changes, and that backup serves the rollout that follows: it
// starts without another one.
func TestAnnouncedReleaseIsBackedUpAhead(t *testing.T) {
	t.Parallel()
	a := newApp(t, shared, "web")
	before := a.look("web")
	a.dev.feed(release("1.5.0", "Deploy"), "create", "-f", "-")
	a.dev.run("wait", "--for=condition=Ready", "--timeout=60s", "apprelease/"+planName+"-1.5.0")
	ahead := a.newBackups(before)
	if len(ahead) != 1 || ahead[0].Status.Phase != velerov1.BackupPhaseCompleted {
		t.Fatalf("the release is Ready, and its backups are %+v", ahead)
	}
	a.setImage("web", "1.5.0")
	a.awaitStarted(before)
	a.protected(before)
	rollout := a.awaitOutcome("1.5.0", v1alpha1.OutcomeRolledOut)
	if rollout.Cause != v1alpha1.CauseAhead || rollout.Backup.Name != ahead[0].Name {
		t.Errorf("rollout has cause %s and backup %s, want %s and %s",
			rollout.Cause, rollout.Backup.Name, v1alpha1.CauseAhead, ahead[0].Name)
	}
}
