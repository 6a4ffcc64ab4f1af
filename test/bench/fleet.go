// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/backstay-dr/backstay/test/integration/stage"
)

// benchIdle counts what the operator writes while nothing changes.
func benchIdle(ctx context.Context, s settings, w io.Writer) error {
	writes, reads := 0, 0
	var ready time.Duration
	prepare := func(on *stage.Stage) error { return on.Populate(ctx, s.plans) }
	err := onStage(ctx, prepare, func(ctx context.Context, on *stage.Stage, op *stage.Operator) error {
		began := time.Now()
		if err := on.AwaitGated(ctx, s.plans); err != nil {
			return err
		}
		ready = time.Since(began)
		if err := atRest(ctx, op); err != nil {
			return err
		}
		before := op.Traffic.Counts()
		if err := sleep(ctx, s.idle); err != nil {
			return err
		}
		for call, n := range op.Traffic.Since(before) {
			switch {
			case call.Writes() && call.Resource != "leases":
				writes += n
			case call.Verb == "list" || call.Verb == "get":
				reads += n
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	hourly := float64(writes) * float64(time.Hour) / float64(s.idle)
	fmt.Fprintf(w, "## Idle cluster with %d plans and %d Deployments\n\n| | seen in %s | extrapolated to an hour |\n|---|---|---|\n",
		s.plans, s.plans*stage.WorkloadsPerPlan, s.idle)
	fmt.Fprintf(w, "| writes, leases aside | %d | %.0f |\n| lists and gets | %d | %.0f |\n\n",
		writes, hourly, reads, float64(reads)*float64(time.Hour)/float64(s.idle))
	fmt.Fprintf(w, "Target 0 writes: %s. Baseline: 0, for a cluster without the operator. The hour is extrapolated and was not watched: "+
		"what happens less often than once in %s is not seen. After the operator had started, every plan was gated within %s.\n",
		verdict(writes == 0), s.idle, ready.Round(time.Millisecond))
	return nil
}
