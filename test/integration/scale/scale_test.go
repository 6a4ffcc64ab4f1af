// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package scale tests what the operator asks of a cluster with many plans.
package scale

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/integration/harness"
	"github.com/backstay-dr/backstay/test/integration/stage"
)

const (
	plans = 500
	// quiet is how long nothing must be written in before the watch for writes begins, and how long that lasts. What
	// repeats itself at all repeats itself within.
	quiet = 5 * time.Second
	// validations of the storage location by Velero in that time.
	validations = 5
)

var errNotYet = errors.New("not rolled out yet")

func TestFiveHundredPlansAreReadByWatchesAloneAndNothingIsDecidedWhileNothingChanges(t *testing.T) {
	ctx := t.Context()
	on, err := stage.Set(ctx, harness.StartForTest(t, harness.Options{}), stage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := on.Populate(ctx, plans); err != nil {
		t.Fatal(err)
	}
	before := heap()
	began := time.Now()
	op, err := on.StartOperator(ctx)
	if err != nil {
		t.Fatal(err)
	}
	synced := op.Traffic.Counts()
	if err := on.AwaitGated(ctx, plans); err != nil {
		t.Fatalf("not every plan is gated: %v", err)
	}
	t.Logf("%d plans, %d Deployments: all reconciled %s after the start, %d MiB more on the heap",
		plans, plans*stage.WorkloadsPerPlan, time.Since(began).Round(10*time.Millisecond), (heap()-before)>>20)
	if probes := op.Traffic.Since(synced)[stage.Call{Verb: "patch", Resource: "deployments", DryRun: true}]; probes > plans/2 {
		t.Errorf("%d probes for %d plans: one answers for the plans of its namespace", probes, plans)
	}
	rollOut(t, on)
	settle(t, op)
	for call, n := range op.Traffic.Since(synced) {
		if call.Verb == "list" || call.Verb == "get" {
			t.Errorf("%s: %d times after the start, want none", call, n)
		}
	}
	if n := op.Traffic.Since(synced)[stage.Call{Verb: "update", Resource: "drplans/status"}]; n > 3*plans {
		t.Errorf("%d writes of plans' statuses for %d plans", n, plans)
	}
	idle := op.Traffic.Counts()
	decided := decisions(t)
	for range validations {
		if err := on.ValidateLocation(ctx, stage.DefaultLocation); err != nil {
			t.Fatal(err)
		}
		wait(ctx, quiet/validations)
	}
	if more := decisions(t) - decided; more > 0 {
		t.Errorf("%d decisions while Velero validated its storage location, and nothing changed", more)
	}
	for call, n := range op.Traffic.Since(idle) {
		if call.Writes() {
			t.Errorf("%s: %d times while nothing changed", call, n)
		}
	}
	if refused := op.Traffic.Forbidden(); len(refused) > 0 {
		t.Errorf("refused: %v", refused)
	}
}

// decisions are how often plans were looked at so far.
func decisions(t *testing.T) int {
	t.Helper()
	count, err := stage.Decisions()
	if err != nil {
		t.Fatal(err)
	}
	return count
}

// heap is what is in use after a garbage collection, in bytes. Everybody on the stage is in it.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse)
}

// rollOut rolls one workload of one plan out, to the end: what it leaves behind must be quiet as well.
func rollOut(t *testing.T, on *stage.Stage) {
	t.Helper()
	d := stage.NewDeployment("team-007", "app-3-1", "app-3")
	if err := on.Live.Patch(t.Context(), d, client.RawPatch(types.MergePatchType,
		[]byte(`{"spec":{"template":{"spec":{"containers":[{"name":"main","image":"registry.example/app:2"}]}}}}`))); err != nil {
		t.Fatal(err)
	}
	release := &v1alpha1.AppRelease{}
	completed := false
	harness.Eventually(t, "rolled out", time.Minute, func(ctx context.Context) error {
		if err := on.Seen.Get(ctx, client.ObjectKey{Namespace: d.Namespace, Name: "app-3-2"}, release); err != nil {
			return err
		}
		ro := release.Status.Rollouts
		if len(ro) == 1 && ro[0].Backup != nil && !completed {
			completed = on.Complete(ctx, ro[0].Backup.Name) == nil
		}
		if len(ro) != 1 || ro[0].Outcome != v1alpha1.OutcomeRolledOut {
			return errNotYet
		}
		return nil
	})
}

// settle waits until the operator has written nothing for a while.
func settle(t *testing.T, op *stage.Operator) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		counts := op.Traffic.Counts()
		wait(t.Context(), quiet)
		if len(op.Traffic.Since(counts)) == 0 {
			return
		}
	}
	t.Fatalf("it does not come to rest: %v", op.Traffic.Counts())
}

// wait lets time pass: how long nothing happens is what is measured here.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
