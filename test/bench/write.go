// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"regexp"
	"time"
)

// costOfWrite is what each plan of a namespace may add to the API server's CPU time for a write of a Deployment there.
var costOfWrite = map[string]time.Duration{"an annotation": 300 * time.Microsecond, "the template": 1500 * time.Microsecond}

// benchWrites measures what plans that select nothing add to the writes of their namespace.
func benchWrites(ctx context.Context, _ settings, r *report) error {
	out, err := goTest(ctx, "./test/integration/gate", "-run", "^TestPlansThatSelectNothingCostAWriteLittle$", "-count=1", "-v")
	if err != nil {
		return err
	}
	found := writeLine.FindAllSubmatch(out, -1)
	if len(found) != len(costOfWrite) {
		return fmt.Errorf("%d costs were measured, want %d: %s", len(found), len(costOfWrite), out)
	}
	r.detail("## A write of a Deployment beside 500 plans that do not select it\n\nCPU time of the API server.\n\n")
	for _, line := range found {
		took, err := time.ParseDuration(string(line[3]))
		if err != nil {
			return err
		}
		most := costOfWrite[string(line[1])]
		r.judge(verdictOf(took <= most), fmt.Sprintf("a write that changes %s: at most %s for each plan of the namespace", line[1], millis(most)),
			fmt.Sprintf("%.2f ms", float64(took)/float64(time.Millisecond)))
		r.detail("- %s: %s\n", line[1], line[2])
	}
	r.detail("\n")
	return nil
}

// writeLine is what the test logs of each write.
var writeLine = regexp.MustCompile(`(an annotation|the template): (.*: (\S+) a plan)`)
