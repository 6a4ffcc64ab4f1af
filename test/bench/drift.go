// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/controllers"
	"github.com/backstay-dr/backstay/test/integration/stage"
)

// benchDrift measures how long after an edit a watcher of the plan sees that it drifted, and how long after the same
// edit a watcher of the Deployment sees the edit itself. In turns with that: how long the least takes that could tell
// anybody, a loop that watches a Deployment and writes what it sees into one object.
func benchDrift(ctx context.Context, s settings, r *report) error {
	var ours, seen, least samples
	prepare := func(on *stage.Stage) error { return observedApps(ctx, on) }
	err := onStage(ctx, stage.Options{}, prepare, func(ctx context.Context, on *stage.Stage, _ *stage.Operator) error {
		plans, err := newDriftWatcher(ctx, on)
		if err != nil {
			return err
		}
		defer plans.stop()
		if err := allRun(ctx, on, "1"); err != nil {
			return err
		}
		bare, err := newBareTeller(ctx, on)
		if err != nil {
			return err
		}
		defer bare.stop()
		ours, least, err = inTurns(ctx, s.pairs, plans.round, bare.round)
		seen = plans.seen
		return err
	})
	if err != nil {
		return err
	}
	r.writeComparison("Drift visible after an edit in Observe mode", "plan's status, seen by a watcher", "the edit itself, seen by a watcher", ours, seen, 2)
	r.detail("Measured from before the edit is sent to each watch event, in the same edits. Every edit brings another version, " +
		"so that the plan's status has to change.\n\n")
	r.detail("| the least that could tell | p50 | p90 | p99 | samples |\n|---|---|---|---|---|\n%s\n\n",
		least.row("bare watch-then-patch loop, seen by a watcher"))
	r.detail("What tells writes once more, after the edit was written: the least that could tell takes **%s** times as long as the edit "+
		"is to see, and the operator **%s** times as long as that.\n\n", ratioOf(least, seen), ratioOf(ours, least))
	return nil
}

// observedApps are plans in Observe mode, with one Deployment each.
func observedApps(ctx context.Context, on *stage.Stage) error {
	if err := on.Spread(ctx, teams, 1); err != nil {
		return err
	}
	for team := range teams {
		if err := on.Live.Delete(ctx, stage.NewDeployment(stage.Team(team), "app-0-1", "")); err != nil {
			return err
		}
		if err := on.Live.Patch(ctx, stage.NewPlan(stage.Team(team), "app-0"),
			client.RawPatch(types.MergePatchType, []byte(`{"spec":{"gate":{"mode":"Observe"}}}`))); err != nil {
			return err
		}
	}
	return nil
}

// driftWatcher is a person with two watches open, of all teams.
type driftWatcher struct {
	on                 *stage.Stage
	plans, deployments following

	// seen is how long after each edit the edit itself was seen.
	seen samples
}

func newDriftWatcher(ctx context.Context, on *stage.Stage) (*driftWatcher, error) {
	watching, err := client.NewWithWatch(on.Admin, client.Options{Scheme: controllers.Scheme()})
	if err != nil {
		return nil, err
	}
	deployments, err := watchOne(ctx, on, metav1.NamespaceAll, subject)
	if err != nil {
		return nil, err
	}
	plans, err := watching.Watch(ctx, &v1alpha1.DRPlanList{})
	if err != nil {
		return nil, err
	}
	return &driftWatcher{on: on, plans: follow(plans), deployments: deployments}, nil
}

func (d *driftWatcher) stop() {
	d.plans.Stop()
	d.deployments.Stop()
}

// round brings one team's subject to another version, and returns how long after that the plan was seen that tells of it.
func (d *driftWatcher) round(ctx context.Context, n int) (time.Duration, error) {
	// What the edit before led to is no part of what is measured.
	if err := sleep(ctx, breath); err != nil {
		return 0, err
	}
	team, version := n%teams, fmt.Sprintf("2.0.%d", n)
	began := time.Now()
	if err := setImage(ctx, d.on, stage.Team(team), subject, version); err != nil {
		return 0, err
	}
	err := next(ctx, d.deployments, func(got *appsv1.Deployment) bool { return got.Namespace == stage.Team(team) && runs(got, version) })
	d.seen = append(d.seen, time.Since(began))
	if err != nil {
		return 0, err
	}
	err = d.runs(ctx, team, version)
	return time.Since(began), err
}

// runs waits for the plan that tells of a running version.
func (d *driftWatcher) runs(ctx context.Context, team int, version string) error {
	return next(ctx, d.plans, func(p *v1alpha1.DRPlan) bool {
		return p.Namespace == stage.Team(team) && p.Status.Versions.Running == version
	})
}

// allRun waits until the plan of every team tells of a running version.
func allRun(ctx context.Context, on *stage.Stage, version string) error {
	return on.Until(ctx, func(ctx context.Context) (bool, error) {
		for team := range teams {
			p := &v1alpha1.DRPlan{}
			if err := on.Seen.Get(ctx, client.ObjectKey{Namespace: stage.Team(team), Name: "app-0"}, p); err != nil {
				return false, err
			}
			if p.Status.Versions.Running != version {
				return false, nil
			}
		}
		return true, nil
	})
}

func runs(d *appsv1.Deployment, version string) bool {
	return d.Spec.Template.Spec.Containers[0].Image == stage.Image(version)
}
