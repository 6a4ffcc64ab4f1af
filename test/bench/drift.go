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
// edit a watcher of the Deployment sees the edit itself.
func benchDrift(ctx context.Context, s settings, w io.Writer) error {
	var ours, bare samples
	prepare := func(on *stage.Stage) error { return observedApp(ctx, on) }
	err := onStage(ctx, prepare, func(ctx context.Context, on *stage.Stage, _ *stage.Operator) error {
		watcher, err := newDriftWatcher(ctx, on)
		if err != nil {
			return err
		}
		defer watcher.stop()
		if _, err := watcher.runs(ctx, "1"); err != nil {
			return err
		}
		for n := range s.edits {
			// What the edit before led to is no part of what is measured.
			if err := sleep(ctx, 2*breath); err != nil {
				return err
			}
			version := fmt.Sprintf("2.0.%d", n)
			began := time.Now()
			if err := setImage(ctx, on, subject, version); err != nil {
				return err
			}
			edited, err := watcher.edited(ctx, stage.Image(version))
			if err != nil {
				return fmt.Errorf("edit %d: %w", n, err)
			}
			told, err := watcher.runs(ctx, version)
			if err != nil {
				return fmt.Errorf("edit %d: %w", n, err)
			}
			ours, bare = append(ours, told.Sub(began)), append(bare, edited.Sub(began))
		}
		return nil
	})
	if err != nil {
		return err
	}
	writeComparison(w, "Drift visible after an edit in Observe mode", "plan's status, seen by a watcher", "the edit itself, seen by a watcher", ours, bare, 2)
	fmt.Fprintf(w, "Measured from before the edit is sent to each watch event, in the same edits. Every edit brings another version, "+
		"so that the plan's status has to change.\n\n")
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
type driftWatcher struct{ plans, deployments watch.Interface }

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
	return &driftWatcher{plans: plans, deployments: deployments}, nil
}

func (d *driftWatcher) stop() {
	d.plans.Stop()
	d.deployments.Stop()
}

// edited waits for the Deployment with an image, and says when it was seen.
func (d *driftWatcher) edited(ctx context.Context, image string) (time.Time, error) {
	err := nextThat(ctx, d.deployments, func(got *appsv1.Deployment) bool { return got.Spec.Template.Spec.Containers[0].Image == image })
	return time.Now(), err
}

// runs waits for the plan that tells of a running version and whether that has drifted, and says when it was seen.
func (d *driftWatcher) runs(ctx context.Context, version string) (time.Time, error) {
	for {
		select {
		case event, ok := <-d.plans.ResultChan():
			if !ok {
				return time.Time{}, fmt.Errorf("the watch of plans ended")
			}
			if p, isPlan := event.Object.(*v1alpha1.DRPlan); isPlan && p.Status.Versions.Running == version {
				return time.Now(), nil
			}
		case <-time.After(time.Minute):
			return time.Time{}, fmt.Errorf("the plan does not tell of %s within a minute", version)
		case <-ctx.Done():
			return time.Time{}, ctx.Err()
		}
	}
}
