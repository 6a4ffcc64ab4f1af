// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package api tests the CRDs of config/crd on a real API server: what they refuse and with which words, what they
// default, and how they read in kubectl.
package api

import (
	"os"
	"testing"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/backstay-dr/backstay/test/integration/harness"
)

// plane is the control plane of this package.
var plane *harness.ControlPlane

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard())
	os.Exit(harness.Main(m, func(cp *harness.ControlPlane) { plane = cp }))
}
