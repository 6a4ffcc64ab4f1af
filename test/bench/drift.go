// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/controllers"
	"github.com/backstay-dr/backstay/test/integration/stage"
)

// benchDrift measures how long after an edit a watcher of the plan sees that it drifted, and how long after the same
// edit a watcher of the Deployment sees the edit itself. In turns with that: how long the least takes that could tell
// anybody, a loop that watches a Deployment and writes what it sees into one object.
func benchDrift(ctx context.Context, s settings, w io.Writer) error {
	var ours, seen, least samples
	prepare := func(on *stage.Stage) error { return observedApp(ctx, on) }
	err := onStage(ctx, prepare, func(ctx context.Context, on *stage.Stage, _ *stage.Operator) error {
		plan, err := newDriftWatcher(ctx, on)
		if err != nil {
			return err
		}
		defer plan.stop()
		if err := plan.runs(ctx, "1"); err != nil {
			return err
		}
		bare, err := newBareTeller(ctx, on)
		if err != nil {
			return err
		}
		defer bare.stop()
		for n := range s.edits {
			version := fmt.Sprintf("2.0.%d", n)
			edited, told, err := plan.edit(ctx, version)
			if err != nil {
				return fmt.Errorf("edit %d: %w", n, err)
			}
			bareTold, err := bare.edit(ctx, version)
			if err != nil {
				return fmt.Errorf("bare edit %d: %w", n, err)
			}
			ours, seen, least = append(ours, told), append(seen, edited), append(least, bareTold)
		}
		return nil
	})
	if err != nil {
		return err
	}
	writeComparison(w, "Drift visible after an edit in Observe mode", "plan's status, seen by a watcher", "the edit itself, seen by a watcher", ours, seen, 2)
	fmt.Fprintf(w, "Measured from before the edit is sent to each watch event, in the same edits. Every edit brings another version, "+
		"so that the plan's status has to change.\n\n")
	fmt.Fprintf(w, "| the least that could tell | p50 | p90 | p99 | samples |\n|---|---|---|---|---|\n%s\n\n",
		least.row("bare watch-then-patch loop, seen by a watcher"))
	fmt.Fprintf(w, "What tells writes once more, after the edit was written: the least that could tell takes **%.2f** times as long as the edit "+
		"is to see, and the operator **%.2f** times as long as that.\n\n", least.over(seen), ours.over(least))
	return nil
}

// observedApp is one plan in Observe mode, with one Deployment.
func observedApp(ctx context.Context, on *stage.Stage) error {
	if err := on.Populate(ctx, 1); err != nil {
		return err
	}
	if err := on.Live.Delete(ctx, stage.NewDeployment(namespace, "app-0-1", "")); err != nil {
		return err
	}
	return on.Live.Patch(ctx, stage.NewPlan(namespace, "app-0"),
		client.RawPatch(types.MergePatchType, []byte(`{"spec":{"gate":{"mode":"Observe"}}}`)))
}

// driftWatcher is a person with two watches open.
type driftWatcher struct {
	on                 *stage.Stage
	plans, deployments watch.Interface
}

func newDriftWatcher(ctx context.Context, on *stage.Stage) (*driftWatcher, error) {
	watching, err := client.NewWithWatch(on.Admin, client.Options{Scheme: controllers.Scheme()})
	if err != nil {
		return nil, err
	}
	deployments, err := watchOne(ctx, on, subject)
	if err != nil {
		return nil, err
	}
	plans, err := watching.Watch(ctx, &v1alpha1.DRPlanList{}, client.InNamespace(namespace))
	if err != nil {
		deployments.Stop()
		return nil, err
	}
	return &driftWatcher{on: on, plans: plans, deployments: deployments}, nil
}

func (d *driftWatcher) stop() {
	d.plans.Stop()
	d.deployments.Stop()
}

// edit brings the subject to a version, and returns how long after that the edit was seen, and the plan that tells of it.
func (d *driftWatcher) edit(ctx context.Context, version string) (edited, told time.Duration, err error) {
	// What the edit before led to is no part of what is measured.
	if err := sleep(ctx, 2*breath); err != nil {
		return 0, 0, err
	}
	began := time.Now()
	if err := setImage(ctx, d.on, subject, version); err != nil {
		return 0, 0, err
	}
	err = next(ctx, d.deployments, func(got *appsv1.Deployment) bool { return runs(got, version) })
	if edited = time.Since(began); err != nil {
		return 0, 0, err
	}
	err = d.runs(ctx, version)
	return edited, time.Since(began), err
}

// runs waits for the plan that tells of a running version.
func (d *driftWatcher) runs(ctx context.Context, version string) error {
	return next(ctx, d.plans, func(p *v1alpha1.DRPlan) bool { return p.Status.Versions.Running == version })
}

func runs(d *appsv1.Deployment, version string) bool {
	return d.Spec.Template.Spec.Containers[0].Image == stage.Image(version)
}
