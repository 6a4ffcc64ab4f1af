// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Command bench measures what the operator costs, on a real API server, and writes a table of it: a verdict for each target,
// then the figures, with this machine's own bare baseline beside them. It is no test: a target that is missed fails nothing.
// It takes some eight minutes on two cores, which nothing else should use meanwhile.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/backstay-dr/backstay/test/integration/harness"
	"github.com/backstay-dr/backstay/test/integration/stage"
)

// settings are how much is measured.
type settings struct {
	pairs int
	plans int
	idle  time.Duration
	out   string
}

func main() {
	var s settings
	flag.IntVar(&s.pairs, "pairs", 200, "gated rollouts, and edits in Observe mode, to measure, each beside a round of the bare loop")
	flag.IntVar(&s.plans, "plans", 5000, "plans of the cluster whose gate is proven, and that is idle then")
	flag.DurationVar(&s.idle, "idle", time.Minute, "for how long the idle cluster is watched")
	flag.StringVar(&s.out, "out", "", "file to write the table to; dist/bench.md of the repository by default")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, s)
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings) error {
	if err := findAssets(ctx); err != nil {
		return err
	}
	began, before := time.Now(), load()
	r := &report{}
	for _, part := range []struct {
		name    string
		measure func(context.Context, settings, *report) error
	}{
		{"hold to release, and requests per rollout", benchRollouts},
		{"drift after an edit in Observe mode", benchDrift},
		{"the gate proven, and an idle cluster", benchFleet},
		{"a decision about a large plan", benchDecision},
		{"a write beside many plans", benchWrites},
	} {
		fmt.Fprintln(os.Stderr, "==>", part.name)
		if err := part.measure(ctx, s, r); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	if s.out == "" {
		s.out = harness.Path("dist", "bench.md")
	}
	if err := os.MkdirAll(filepath.Dir(s.out), 0o755); err != nil {
		return err
	}
	file, err := os.Create(s.out)
	if err != nil {
		return err
	}
	defer file.Close()
	return r.write(io.MultiWriter(os.Stdout, file), s, before, time.Since(began))
}

// findAssets finds etcd and the API server as `make test-integration` does, unless somebody did already.
func findAssets(ctx context.Context) error {
	const variable = "KUBEBUILDER_ASSETS"
	if os.Getenv(variable) != "" {
		return nil
	}
	cmd := exec.CommandContext(ctx, "go", "run", "./test/cluster", "assets")
	cmd.Dir, cmd.Stderr = harness.Path(), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("build the API server: %w", err)
	}
	return os.Setenv(variable, strings.TrimSpace(string(out)))
}

// onStage runs a measurement on a control plane of its own, with the operator on it.
func onStage(
	ctx context.Context, options stage.Options, prepare func(*stage.Stage) error,
	measure func(context.Context, *stage.Stage, *stage.Operator) error,
) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cp, err := harness.Start(harness.Options{})
	if err != nil {
		return err
	}
	defer cp.Stop()
	on, err := stage.Set(ctx, cp, options)
	if err != nil {
		return err
	}
	if err := prepare(on); err != nil {
		return err
	}
	op, err := on.StartOperator(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, op.Stop()) }()
	return measure(ctx, on, op)
}
