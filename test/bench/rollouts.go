// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/integration/stage"
)

const (
	// namespace of what is measured.
	namespace = "team-000"
	// subject is the Deployment that is rolled out.
	subject = "app-0-0"
	// bareSubject is the Deployment that the bare loop resumes. No plan selects it.
	bareSubject = "bare"
)

// benchRollouts measures, in turns, how long a held Deployment stays held after its backup is Completed, and how long a
// loop needs that does nothing but watch Backups and patch a Deployment.
func benchRollouts(ctx context.Context, s settings, w io.Writer) error {
	var ours, bare samples
	requests := map[stage.Call]int{}
	prepare := func(on *stage.Stage) error { return on.Populate(ctx, 1) }
	err := onStage(ctx, prepare, func(ctx context.Context, on *stage.Stage, op *stage.Operator) error {
		b, err := newBareLoop(ctx, on)
		if err != nil {
			return err
		}
		if err := on.AwaitGated(ctx, 1); err != nil {
			return err
		}
		for n := range s.rollouts {
			// A rollout that follows another within the clock margin of the release rule waits for that first.
			if err := sleep(ctx, clockMargin); err != nil {
				return err
			}
			before := op.Traffic.Counts()
			took, err := gatedRollout(ctx, on, fmt.Sprintf("2.0.%d", n))
			if err != nil {
				return fmt.Errorf("rollout %d: %w", n, err)
			}
			ours = append(ours, took)
			if err := atRest(ctx, op); err != nil {
				return err
			}
			for call, count := range op.Traffic.Since(before) {
				requests[call] += count
			}
			if took, err = b.round(ctx, n); err != nil {
				return fmt.Errorf("bare round %d: %w", n, err)
			}
			bare = append(bare, took)
		}
		return nil
	})
	if err != nil {
		return err
	}
	writeComparison(w, "From the Completed backup to the unpaused Deployment", "operator", "bare watch-then-patch loop", ours, bare, 1.5)
	fmt.Fprintf(w, "Measured from the return of the patch that completes the Backup to the watch event that shows the Deployment unpaused.\n\n")
	writeRequests(w, requests, s.rollouts)
	return nil
}

// gatedRollout rolls the subject out to a version, and returns how long it was held after its backup was Completed.
func gatedRollout(ctx context.Context, on *stage.Stage, version string) (time.Duration, error) {
	if err := setImage(ctx, on, subject, version); err != nil {
		return 0, err
	}
	key := client.ObjectKey{Namespace: namespace, Name: "app-0-" + version}
	backup := ""
	if err := on.Until(ctx, func(ctx context.Context) (bool, error) {
		r := &v1alpha1.AppRelease{}
		if err := on.Seen.Get(ctx, key, r); err != nil || len(r.Status.Rollouts) == 0 || r.Status.Rollouts[0].Backup == nil {
			return false, client.IgnoreNotFound(err)
		}
		backup = r.Status.Rollouts[0].Backup.Name
		err := on.Seen.Get(ctx, client.ObjectKey{Namespace: stage.VeleroNamespace, Name: backup}, &velerov1.Backup{})
		return err == nil, client.IgnoreNotFound(err)
	}); err != nil {
		return 0, fmt.Errorf("no backup: %w", err)
	}
	took, err := completeAndWatch(ctx, on, backup, subject)
	if err != nil {
		return 0, err
	}
	return took, on.Until(ctx, func(ctx context.Context) (bool, error) {
		r := &v1alpha1.AppRelease{}
		err := on.Seen.Get(ctx, key, r)
		return err == nil && r.Status.Rollouts[0].Outcome != "", err
	})
}

func setImage(ctx context.Context, on *stage.Stage, name, version string) error {
	return on.Live.Patch(ctx, stage.NewDeployment(namespace, name, ""), client.RawPatch(types.MergePatchType, fmt.Appendf(nil,
		`{"spec":{"template":{"spec":{"containers":[{"name":"main","image":%q}]}}}}`, stage.Image(version))))
}

// completeAndWatch completes a Backup, and returns how long after that a Deployment was seen unpaused.
func completeAndWatch(ctx context.Context, on *stage.Stage, backup, deployment string) (time.Duration, error) {
	events, err := watchOne(ctx, on, deployment)
	if err != nil {
		return 0, err
	}
	defer events.Stop()
	for _, phase := range stage.Walk[:len(stage.Walk)-1] {
		if err := on.Pass(ctx, backup, phase, nil); err != nil {
			return 0, err
		}
	}
	// What the phases before lead to is no part of what is measured.
	if err := sleep(ctx, breath); err != nil {
		return 0, err
	}
	if err := on.Pass(ctx, backup, velerov1.BackupPhaseCompleted, nil); err != nil {
		return 0, err
	}
	completed := time.Now()
	err = next(ctx, events, func(d *appsv1.Deployment) bool { return !d.Spec.Paused })
	return time.Since(completed), err
}

// clockMargin is more than what a backup must be younger than the last start of anything else.
const clockMargin = 4500 * time.Millisecond

// breath lets everybody finish what they are at.
const breath = 300 * time.Millisecond

// sleep lets time pass.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// atRest waits until the operator has asked for nothing for a while: events are written in the background.
func atRest(ctx context.Context, op *stage.Operator) error {
	const rest = 1500 * time.Millisecond
	for {
		before := op.Traffic.Counts()
		if err := sleep(ctx, rest); err != nil {
			return err
		}
		if maps.Equal(before, op.Traffic.Counts()) {
			return nil
		}
	}
}

// writeRequests writes the requests per rollout, events apart: they are written in the background, for people.
func writeRequests(w io.Writer, requests map[stage.Call]int, rollouts int) {
	fmt.Fprintf(w, "## API requests of the operator for one gated rollout of one Deployment\n\n| request | per rollout |\n|---|---|\n")
	total, events := 0, 0
	calls := slices.SortedFunc(maps.Keys(requests), func(a, b stage.Call) int { return strings.Compare(a.String(), b.String()) })
	for _, call := range calls {
		if call.Verb == "watch" {
			continue // they are renewed every few minutes, whatever happens
		}
		if call.Resource == "events" {
			events += requests[call]
			continue
		}
		total += requests[call]
		fmt.Fprintf(w, "| %s | %s |\n", call, perRollout(requests[call], rollouts))
	}
	fmt.Fprintf(w, "| **together** | **%s** |\n| events besides | %s |\n\n", perRollout(total, rollouts), perRollout(events, rollouts))
	fmt.Fprintf(w, "Target at most 6: %s. Baseline: the bare loop needs 1, the patch that unpauses, and leaves no record.\n\n",
		verdict(total <= 6*rollouts))
}

func perRollout(n, rollouts int) string { return fmt.Sprintf("%.2f", float64(n)/float64(rollouts)) }

// next waits for an event of a watch that shows an object as it is to be.
func next[T client.Object](ctx context.Context, events watch.Interface, is func(T) bool) error {
	for {
		select {
		case event, ok := <-events.ResultChan():
			if !ok {
				return fmt.Errorf("the watch ended")
			}
			if obj, isOne := event.Object.(T); isOne && is(obj) {
				return nil
			}
		case <-time.After(time.Minute):
			return fmt.Errorf("nothing to see within a minute")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
