// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package gate tests the admission policies of config/gate on a real API server.
package gate

import (
	"context"
	"os"
	"testing"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/backstay-dr/backstay/test/integration/harness"
)

// plane is the control plane of this package, with the gate in force.
var plane *harness.ControlPlane

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard())
	os.Exit(harness.Main(m, func(cp *harness.ControlPlane) { plane = cp }, func(cp *harness.ControlPlane) error {
		return cp.InstallGate(context.Background())
	}))
}
