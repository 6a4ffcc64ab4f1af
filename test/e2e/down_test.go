// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// (i) An operator that is down delays protected rollouts and breaks nothing else.
func TestPromise7_OperatorDownDelaysProtectedRolloutsOnly(t *testing.T) {
	a := newApp(t, shared, "api", "web")
	other := newNamespace(t, shared)
	other.deploy(firstVersion, "web")
	a.killOperator(t)
	before := a.look("api", "web")

	a.setImage("api", "1.5.0")
	a.setImage("web", "1.5.0")

	t.Run("scale what is held", func(t *testing.T) {
		a := a.on(t)
		a.dev.run("scale", "deployment/web", "--replicas=4")
		a.await("four pods of the old version are available", func() error {
			if got := a.deployment("web").Status.AvailableReplicas; got != 4 {
				return fmt.Errorf("%d are", got)
			}
			return nil
		})
	})
	t.Run("roll out in a namespace without a plan", func(t *testing.T) {
		other := other.on(t)
		other.setImage("web", "1.5.0")
		other.await("it runs", func() error { return other.runs("web", "1.5.0") })
	})
	t.Run("create, and roll out what no plan selects", func(t *testing.T) {
		a := a.on(t)
		for _, version := range []string{firstVersion, "1.5.0"} {
			d := deployment("tool", version)
			delete(d.Labels, partOf)
			a.dev.feed(manifest(d), "apply", "-f", "-")
			a.await("it runs", func() error { return a.runs("tool", version) })
		}
	})
	t.Run("create, restart and delete what the plan selects", func(t *testing.T) {
		a := a.on(t)
		a.deploy(firstVersion, "worker")
		before := a.look("worker")
		a.dev.run("rollout", "restart", "deployment/worker") // no new revision of the template's spec
		a.awaitStarted(before)
		a.dev.run("delete", "deployment/worker")
	})
	t.Run("override", func(t *testing.T) {
		a := a.on(t)
		a.root.run("annotate", "deployment/web", v1alpha1.AnnotationOverride+"=outage, and the operator is down")
		a.await("it runs", func() error { return a.runs("web", "1.5.0") })
	})
	if err := a.held(live(a, &appsv1.Deployment{}, "api")); err != nil {
		t.Errorf("what was held did not stay held: %v", err)
	}
	if starts := a.startsOf(a.namespace, "api")[before.starts["api"]:]; len(starts) > 0 {
		t.Errorf("%s started without a backup", starts[0].set.Name)
	}

	a.restart(t, operatorName)
	a.await("api runs", func() error { return a.runs("api", "1.5.0") })
	rollout := a.awaitOutcome("1.5.0", v1alpha1.OutcomeRolledOut)
	if o := rollout.Workloads[1].Override; o == nil || o.User != "backstay-admin" || o.Reason != "outage, and the operator is down" {
		t.Errorf("the release records the override as %+v", o)
	}
	a.after(a.startsOf(a.namespace, "api")[before.starts["api"]], new(a.backup(rollout.Backup.Name)))
}
