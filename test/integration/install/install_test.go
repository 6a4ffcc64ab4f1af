// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"strings"
	"testing"

	"github.com/backstay-dr/backstay/test/integration/harness"
)

func TestInstallingAgainChangesNothing(t *testing.T) {
	install(t)
	kubectl := plane.Kubectl(t, plane.Admin, "default")
	kubectl.Run("apply", "--server-side", "-k", harness.Path("config", "default"))
	if diff := kubectl.Try("", "diff", "--server-side", "-k", harness.Path("config", "default")); diff.Code != 0 {
		t.Errorf("kubectl diff after a second apply: exit code %d\n%s%s", diff.Code, diff.Stdout, diff.Stderr)
	}
}

// The namespace enforces the restricted profile: a Deployment that broke it would be accepted and have no pods.
func TestTheOperatorsPodFitsTheRestrictedProfile(t *testing.T) {
	install(t)
	kubectl := plane.Kubectl(t, plane.Admin, "backstay-system")
	applied := kubectl.Run("apply", "--server-side", "-f", harness.Path("config", "manager", "manager.yaml"))
	if strings.Contains(applied.Stderr, "PodSecurity") {
		t.Errorf("the API server warns: %s", applied.Stderr)
	}
}

func TestSamplesApply(t *testing.T) {
	install(t)
	namespace := plane.Namespace(t)
	kubectl := plane.Kubectl(t, plane.Admin, namespace)
	kubectl.Run("apply", "-k", harness.Path("config", "samples"))
	again := kubectl.Run("apply", "-k", harness.Path("config", "samples"))
	for line := range strings.Lines(again.Stdout) {
		if !strings.HasSuffix(strings.TrimSpace(line), " unchanged") {
			t.Errorf("the second apply changes something: %s", line)
		}
	}
	for _, column := range []string{"drplan.dr.backstay.dev/shop", "apprelease.dr.backstay.dev/shop-1.5.0", "apprelease.dr.backstay.dev/shop-1.6.0"} {
		if all := kubectl.Run("get", "backstay", "-o", "name"); !strings.Contains(all.Stdout, column) {
			t.Errorf("kubectl get backstay does not show %s:\n%s", column, all.Stdout)
		}
	}
}
