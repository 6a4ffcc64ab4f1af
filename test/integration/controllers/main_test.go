// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package controllers tests the operator as a whole on a real API server, under the ServiceAccount and with the rights
// that it ships with. Velero and the Deployment controller are played: see package stage. What the simulation in internal/plan tells is
// not told again: the first line of each test says what only a real API server shows.
package controllers

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/backstay-dr/backstay/test/integration/harness"
	"github.com/backstay-dr/backstay/test/integration/stage"
)

var (
	// scene is the control plane that most tests share, each in a namespace of its own.
	scene *stage.Stage
	// operator works on it.
	operator *stage.Operator
)

// sideBySide is how many tests run at the same time: most of them wait, for pauses that the operator makes.
const sideBySide = "24"

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	flag.Parse()
	if err := flag.Set("test.parallel", sideBySide); err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	code := harness.Main(m, func(*harness.ControlPlane) {}, func(cp *harness.ControlPlane) (err error) {
		if scene, err = stage.Set(ctx, cp, stage.Options{}); err != nil {
			return err
		}
		operator, err = scene.StartOperator(ctx)
		return err
	})
	if operator != nil && len(operator.Traffic.Forbidden()) > 0 {
		fmt.Fprintln(os.Stderr, "FAIL: the operator asked for what it has no right to:", operator.Traffic.Forbidden())
		return 1
	}
	return code
}
