// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/test/integration/stage"
)

const (
	// provenWithin is how long it may take until the gate of every plan is proven.
	provenWithin = time.Minute
	// validated is how often Velero validates its storage location here: six times as often as by default.
	validated = 10 * time.Second
)

// benchFleet measures how long many plans take to be proven, after an installation and after a policy changed, and counts
// what the operator does while nothing changes but what Velero writes about its storage location.
func benchFleet(ctx context.Context, s settings, r *report) error {
	prepare := func(on *stage.Stage) error { return on.Populate(ctx, s.plans) }
	return onStage(ctx, stage.Options{WithoutRollouts: true}, prepare, func(ctx context.Context, on *stage.Stage, op *stage.Operator) error {
		r.detail("## A cluster with %d plans and %d Deployments\n\n", s.plans, s.plans*stage.WorkloadsPerPlan)
		began := time.Now()
		if err := on.AwaitGated(ctx, s.plans); err != nil {
			return err
		}
		r.writeProven("an installation", time.Since(began))
		proofs, err := on.Proofs(ctx)
		if err != nil {
			return err
		}
		began = time.Now()
		if err := changePolicy(ctx, on); err != nil {
			return err
		}
		if err := on.AwaitProven(ctx, s.plans, proofs); err != nil {
			return err
		}
		r.writeProven("a changed policy", time.Since(began))
		return benchIdle(ctx, s, on, op, r)
	})
}

// changePolicy changes the policy that holds, and changes it back: what was proven of it before proves nothing any more.
func changePolicy(ctx context.Context, on *stage.Stage) error {
	for _, onFailure := range []string{"Fail", "Ignore"} {
		policy := &admissionv1.MutatingAdmissionPolicy{}
		policy.Name = "backstay-hold-deployments"
		patch := client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"spec":{"failurePolicy":%q}}`, onFailure))
		if err := on.Live.Patch(ctx, policy, patch); err != nil {
			return err
		}
	}
	return nil
}

func (r *report) writeProven(after string, took time.Duration) {
	r.judge(verdictOf(took <= provenWithin),
		fmt.Sprintf("every plan proven after %s: within %s", after, provenWithin), took.Round(100*time.Millisecond).String())
}

// benchIdle counts what the operator does while nothing changes but what Velero writes about its storage location.
func benchIdle(ctx context.Context, s settings, on *stage.Stage, op *stage.Operator, r *report) error {
	if err := atRest(ctx, op); err != nil {
		return err
	}
	before := op.Traffic.Counts()
	decided, err := stage.Decisions()
	if err != nil {
		return err
	}
	validations := 0
	for began := time.Now(); time.Since(began) < s.idle; validations++ {
		if err := on.ValidateLocation(ctx, stage.DefaultLocation); err != nil {
			return err
		}
		if err := sleep(ctx, min(validated, s.idle)); err != nil {
			return err
		}
	}
	after, err := stage.Decisions()
	if err != nil {
		return err
	}
	decided = after - decided
	writes, reads := 0, 0
	for call, n := range op.Traffic.Since(before) {
		switch {
		case call.Writes() && call.Resource != "leases":
			writes += n
		case call.Verb == "list" || call.Verb == "get":
			reads += n
		}
	}
	r.judge(verdictOf(decided == 0), "decisions on an idle cluster: 0", fmt.Sprint(decided))
	r.judge(verdictOf(writes == 0), "writes on an idle cluster, leases aside: 0", fmt.Sprint(writes))
	r.detail("Idle for %s, in which Velero's validation of its storage location was written %d times: %d decisions about a plan, %d writes "+
		"(leases aside), %d lists and gets. What happens less often than once in that time is not seen.\n\n", s.idle, validations, decided, writes, reads)
	return nil
}
