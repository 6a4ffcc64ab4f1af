// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"slices"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	appsv1 "k8s.io/api/apps/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// ledger is what had happened to an application when a test last looked.
type ledger struct {
	backups []string
	starts  map[string]int // by Deployment
}

// look takes stock before a test changes something.
func (a *app) look(deployments ...string) ledger {
	l := ledger{starts: map[string]int{}}
	for _, b := range a.backups() {
		l.backups = append(l.backups, b.Name)
	}
	for _, name := range deployments {
		l.starts[name] = len(a.startsOf(a.namespace, name))
	}
	return l
}

// newBackups are the backups that came after a look.
func (a *app) newBackups(since ledger) []velerov1.Backup {
	return slices.DeleteFunc(a.backups(), func(b velerov1.Backup) bool { return slices.Contains(since.backups, b.Name) })
}

// awaitStarted waits until a change rolled out: each Deployment is not paused, has only pods of its template, and the
// watches have shown a start since the look.
func (a *app) awaitStarted(since ledger) {
	a.t.Helper()
	for name, before := range since.starts {
		generation := live(a, &appsv1.Deployment{}, name).Generation
		a.await(name+" has rolled out", func() error {
			if n := len(a.startsOf(a.namespace, name)); n <= before {
				return fmt.Errorf("no revision of %s has started", name)
			}
			return rolledOut(a.deployment(name), generation)
		})
	}
}

// protected checks promise 1 for one rollout: since the look there was exactly one backup, and each Deployment started
// exactly one revision, after that backup was Completed.
func (a *app) protected(since ledger) {
	a.t.Helper()
	backups := a.newBackups(since)
	if len(backups) != 1 {
		a.t.Fatalf("%d backups for one rollout, want 1\n%s", len(backups), a.diagnosis())
	}
	for name, before := range since.starts {
		starts := a.startsOf(a.namespace, name)[before:]
		if len(starts) != 1 {
			a.t.Fatalf("%s started %d revisions, want 1\n%s", name, len(starts), a.diagnosis())
		}
		a.after(starts[0], &backups[0])
	}
}

// after checks that a revision started after a backup was Completed: by the order in which the API server stored the
// two, and, for a new ReplicaSet, by the times that everybody can see.
func (a *app) after(s start, b *velerov1.Backup) {
	a.t.Helper()
	completed := a.completedAt(b)
	if completed == 0 || s.revision <= completed {
		a.t.Errorf("%s started at revision %d; backup %s (%s) was Completed at revision %d",
			s.set.Name, s.revision, b.Name, b.Status.Phase, completed)
	}
	if s.created && (b.Status.CompletionTimestamp == nil || s.set.CreationTimestamp.Before(b.Status.CompletionTimestamp)) {
		a.t.Errorf("ReplicaSet %s was created at %s, backup %s completed at %s",
			s.set.Name, s.set.CreationTimestamp, b.Name, b.Status.CompletionTimestamp)
	}
}

// awaitOutcome waits until the newest rollout of a version's release has ended in some way, and returns it.
func (a *app) awaitOutcome(version string, outcome v1alpha1.RolloutOutcome) v1alpha1.Rollout {
	a.t.Helper()
	var newest v1alpha1.Rollout
	a.await(fmt.Sprintf("the release of %s is %s", version, outcome), func() error {
		rollouts := a.release(version).Status.Rollouts
		if len(rollouts) == 0 {
			return fmt.Errorf("the release has no rollout")
		}
		newest = rollouts[0]
		if newest.Outcome != outcome {
			return fmt.Errorf("its newest rollout has outcome %q", newest.Outcome)
		}
		return nil
	})
	return newest
}
