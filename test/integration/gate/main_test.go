// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package gate tests the admission policies of config/gate on a real API server.
package gate

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/backstay-dr/backstay/test/integration/harness"
)

// plane is the control plane of this package, with the gate in force.
var plane *harness.ControlPlane

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard())
	os.Exit(harness.Main(checked{m}, func(cp *harness.ControlPlane) { plane = cp }, func(cp *harness.ControlPlane) error {
		return cp.InstallGate(context.Background())
	}))
}

// checked runs the tests, and then asks the API server whether any expression failed in any of them. A policy that fails
// is passed over, so the outcome alone need not show it.
type checked struct{ *testing.M }

func (c checked) Run() int {
	// While it starts, an API server does not know the schema of every kind yet.
	_, before, err := evaluations(context.Background(), plane)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := c.M.Run()
	evaluations, failures, err := evaluations(context.Background(), plane)
	failures = slices.DeleteFunc(failures, func(f string) bool { return slices.Contains(before, f) })
	if err != nil || evaluations == 0 || len(failures) > 0 {
		fmt.Fprintf(os.Stderr, "%d evaluations of the policies, of which failed: %s %v\n", evaluations, failures, err)
		return 1
	}
	return code
}

// evaluations reads the API server's metrics: how many outcomes of our policies it counts, and what failed. A validation
// that refused, or warned, is no failure, though the API server calls it an error; one that was passed over is.
func evaluations(ctx context.Context, cp *harness.ControlPlane) (count int, failures []string, err error) {
	clients, err := kubernetes.NewForConfig(cp.Admin)
	if err != nil {
		return 0, nil, err
	}
	metrics, err := clients.RESTClient().Get().AbsPath("/metrics").DoRaw(ctx)
	if err != nil {
		return 0, nil, err
	}
	for line := range strings.Lines(string(metrics)) {
		outcome := strings.Contains(line, "admission_policy_check_total{") && strings.Contains(line, `policy="backstay-`)
		meant := strings.Contains(line, `error_type="no_error"`) ||
			strings.Contains(line, `enforcement_action="deny"`) || strings.Contains(line, `enforcement_action="warn"`)
		if outcome {
			count++
		}
		if outcome && !meant || strings.HasPrefix(line, "apiserver_admission_match_condition_evaluation_errors_total{") {
			failures = append(failures, strings.TrimSpace(line))
		}
	}
	return count, failures, nil
}
