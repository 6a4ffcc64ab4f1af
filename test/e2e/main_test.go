// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

// shared is the installation of all tests but those that take one apart.
var shared *installation

// TestMain starts the shared installation. Tests that stop Velero or the operator are not parallel: they run before
// those that are.
func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	log.SetLogger(zap.New(zap.WriteTo(io.Discard))) // of the watches: what goes wrong there, a test tells
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if shared, err = install(ctx, fmt.Sprintf("e2e-%d", os.Getpid())); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	finished := make(chan struct{})
	go func() {
		select {
		case <-ctx.Done():
			shared.remove(true)
			os.Exit(130)
		case <-finished:
		}
	}()
	code := m.Run()
	close(finished)
	shared.remove(code == 0)
	return code
}
