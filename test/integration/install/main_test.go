// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package install tests the manifests that people install: all of config/default, applied by kubectl to a bare API
// server, the rights that it gives, and the samples.
package install

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/backstay-dr/backstay/test/integration/harness"
)

// plane is a bare API server: without CRDs, policies and roles.
var plane *harness.ControlPlane

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	cp, err := harness.Start(harness.Options{WithoutCRDs: true})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer cp.Stop()
	plane = cp
	return m.Run()
}

var installOnce sync.Once

// install applies config/default as docs/install.md says, before the first test that needs it.
func install(t *testing.T) {
	t.Helper()
	installOnce.Do(func() {
		kubectl := plane.Kubectl(t, plane.Admin, "default")
		kubectl.Run("create", "namespace", "velero")
		kubectl.Run("apply", "--server-side", "-k", harness.Path("config", "default"))
		kubectl.Run("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
		// A policy that mutates needs the schema of a kind, which the API server looks for every five seconds.
		release := filepath.Join(harness.Path("config", "samples"), "dr_v1alpha1_apprelease_record.yaml")
		harness.Eventually(t, "the policies know the new kinds", 20*time.Second, func(context.Context) error {
			if tried := kubectl.Try("", "create", "--dry-run=server", "-f", release); tried.Code != 0 {
				return errors.New(tried.Stderr)
			}
			return nil
		})
	})
}
