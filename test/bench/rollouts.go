// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
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
	// subject is the Deployment that is rolled out, in each namespace.
	subject = "app-0-0"
	// bareSubject is the Deployment that the bare loop resumes. No plan selects it.
	bareSubject = "bare"
	// teams is how many namespaces take turns, each with one plan: a rollout must not follow another of its plan at once.
	teams = 10
)

// home is the namespace of what the bare loops change.
var home = stage.Team(0)

// benchRollouts measures, in turns, how long a held Deployment stays held after its backup is Completed, and how long a
// loop needs that does nothing but watch Backups and patch a Deployment.
func benchRollouts(ctx context.Context, s settings, r *report) error {
	var ours, bare samples
	requests := map[stage.Call]int{}
	prepare := func(on *stage.Stage) error { return on.Spread(ctx, teams, 1) }
	err := onStage(ctx, stage.Options{}, prepare, func(ctx context.Context, on *stage.Stage, op *stage.Operator) error {
		b, err := newBareLoop(ctx, on)
		if err != nil {
			return err
		}
		if err := on.AwaitGated(ctx, teams); err != nil {
			return err
		}
		if err := atRest(ctx, op); err != nil {
			return err
		}
		before := op.Traffic.Counts()
		g := gatedRollouts{on: on}
		if ours, bare, err = inTurns(ctx, s.pairs, g.round, b.round); err != nil {
			return err
		}
		if err := g.ended(ctx); err != nil {
			return err
		}
		if err := atRest(ctx, op); err != nil {
			return err
		}
		requests = op.Traffic.Since(before)
		return nil
	})
	if err != nil {
		return err
	}
	r.writeComparison("From the Completed backup to the unpaused Deployment", "operator", "bare watch-then-patch loop", ours, bare, 1.5)
	r.detail("Measured from the return of the patch that completes the Backup to the watch event that shows the Deployment unpaused.\n\n")
	r.writeRequests(requests, s.pairs)
	return nil
}

// inTurns takes pairs of samples. Each of the two goes first as often as the other.
func inTurns(ctx context.Context, pairs int, ours, bare func(context.Context, int) (time.Duration, error)) (a, b samples, err error) {
	a, b = make(samples, pairs), make(samples, pairs)
	for n := range pairs {
		measure := []func() error{
			func() (err error) { a[n], err = ours(ctx, n); return err },
			func() (err error) { b[n], err = bare(ctx, n); return err },
		}
		for i := range measure {
			if err := measure[(i+n)%2](); err != nil {
				return nil, nil, fmt.Errorf("pair %d: %w", n, err)
			}
		}
	}
	return a, b, nil
}

// gatedRollouts are rollouts of one Deployment of each team in turns.
type gatedRollouts struct {
	on   *stage.Stage
	last [teams]time.Time
	made []client.ObjectKey
}

// round rolls one team's subject out to another version, and returns how long it was held after its backup was Completed.
func (g *gatedRollouts) round(ctx context.Context, n int) (time.Duration, error) {
	team, version := n%teams, fmt.Sprintf("2.0.%d", n)
	// A rollout that follows another of its plan within the clock margin of the release rule waits for that first.
	if err := sleep(ctx, time.Until(g.last[team].Add(clockMargin))); err != nil {
		return 0, err
	}
	key := client.ObjectKey{Namespace: stage.Team(team), Name: "app-0-" + version}
	if err := setImage(ctx, g.on, key.Namespace, subject, version); err != nil {
		return 0, err
	}
	backup := ""
	if err := g.on.Until(ctx, func(ctx context.Context) (bool, error) {
		r := &v1alpha1.AppRelease{}
		if err := g.on.Seen.Get(ctx, key, r); err != nil || len(r.Status.Rollouts) == 0 || r.Status.Rollouts[0].Backup == nil {
			return false, client.IgnoreNotFound(err)
		}
		backup = r.Status.Rollouts[0].Backup.Name
		err := g.on.Seen.Get(ctx, client.ObjectKey{Namespace: stage.VeleroNamespace, Name: backup}, &velerov1.Backup{})
		return err == nil, client.IgnoreNotFound(err)
	}); err != nil {
		return 0, fmt.Errorf("no backup: %w", err)
	}
	took, err := completeAndWatch(ctx, g.on, backup, key.Namespace, subject)
	g.last[team], g.made = time.Now(), append(g.made, key)
	return took, err
}

// ended waits until every rollout is recorded as such.
func (g *gatedRollouts) ended(ctx context.Context) error {
	return g.on.Until(ctx, func(ctx context.Context) (bool, error) {
		for _, key := range g.made {
			r := &v1alpha1.AppRelease{}
			if err := g.on.Seen.Get(ctx, key, r); err != nil || r.Status.Rollouts[0].Outcome == "" {
				return false, err
			}
		}
		return true, nil
	})
}

func setImage(ctx context.Context, on *stage.Stage, namespace, name, version string) error {
	return on.Live.Patch(ctx, stage.NewDeployment(namespace, name, ""), client.RawPatch(types.MergePatchType, fmt.Appendf(nil,
		`{"spec":{"template":{"spec":{"containers":[{"name":"main","image":%q}]}}}}`, stage.Image(version))))
}

// completeAndWatch completes a Backup, and returns how long after that a Deployment was seen unpaused.
func completeAndWatch(ctx context.Context, on *stage.Stage, backup, namespace, deployment string) (time.Duration, error) {
	events, err := watchOne(ctx, on, namespace, deployment)
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

// maxRequests is how many requests a gated rollout may cost.
const maxRequests = 6

// writeRequests writes the requests per rollout, events apart: they are written in the background, for people.
func (r *report) writeRequests(requests map[stage.Call]int, rollouts int) {
	r.detail("## API requests of the operator for one gated rollout of one Deployment\n\n| request | per rollout |\n|---|---|\n")
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
		r.detail("| %s | %s |\n", call, perRollout(requests[call], rollouts))
	}
	r.detail("| **together** | **%s** |\n| events besides | %s |\n\n", perRollout(total, rollouts), perRollout(events, rollouts))
	r.judge(verdictOf(total <= maxRequests*rollouts),
		fmt.Sprintf("API requests of the operator for one gated rollout: at most %d", maxRequests), perRollout(total, rollouts))
	r.detail("Baseline: the bare loop needs 1, the patch that unpauses, and leaves no record.\n\n")
}

func perRollout(n, rollouts int) string { return fmt.Sprintf("%.2f", float64(n)/float64(rollouts)) }

// following is a watch whose events are taken as they come, whether somebody waits for one or not: what nobody waited for
// must not stand before what is measured.
type following struct {
	watch.Interface
	events chan watch.Event
}

func follow(events watch.Interface) following {
	const room = 4096 // more than there are events in a measurement
	f := following{Interface: events, events: make(chan watch.Event, room)}
	go func() {
		defer close(f.events)
		for event := range events.ResultChan() {
			f.events <- event
		}
	}()
	return f
}

// next waits for an event of a watch that shows an object as it is to be.
func next[T client.Object](ctx context.Context, f following, is func(T) bool) error {
	for {
		select {
		case event, ok := <-f.events:
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
