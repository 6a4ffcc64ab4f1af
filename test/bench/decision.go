// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"time"

	"github.com/backstay-dr/backstay/test/integration/harness"
)

// decisionWithin is how long a look at a large plan may take: 100 workloads and 100 releases.
const decisionWithin = 10 * time.Millisecond

// benchDecision runs the Go benchmark of the pure core.
func benchDecision(ctx context.Context, _ settings, r *report) error {
	out, err := goTest(ctx, "./internal/plan", "-run", "^$", "-bench", "^BenchmarkDecision$", "-benchtime", "200x")
	if err != nil {
		return err
	}
	found := benchmarkLine.FindAllSubmatch(out, -1)
	if len(found) == 0 {
		return fmt.Errorf("no benchmark ran: %s", out)
	}
	r.detail("## A look at a plan with 100 workloads and 100 releases\n\n| | mean of 200 |\n|---|---|\n")
	worst := time.Duration(0)
	for _, line := range found {
		took, err := time.ParseDuration(string(line[2]) + "ns")
		if err != nil {
			return err
		}
		worst = max(worst, took)
		r.detail("| %s | %s |\n", line[1], millis(took))
	}
	r.detail("\n")
	r.judge(verdictOf(worst <= decisionWithin),
		fmt.Sprintf("a decision about 100 workloads and 100 releases: within %s", decisionWithin), millis(worst))
	return nil
}

// goTest runs go test in the repository, and returns what it prints.
func goTest(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"test"}, args...)...)
	cmd.Dir, cmd.Stderr = harness.Path(), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	return out, nil
}

// benchmarkLine is a line of `go test -bench`: the name, the number of runs, and the time of each.
var benchmarkLine = regexp.MustCompile(`(?m)^BenchmarkDecision/(\S+?)(?:-\d+)?\s+\d+\s+([0-9.]+) ns/op`)
