// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package velero

import (
	"math"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"
)

func TestBackupName(t *testing.T) {
	// The name finds a Backup again after an upgrade of the operator too: another one would be another Backup.
	id := BackupID{Cluster: "c", Namespace: "ns", Plan: "shop", Version: "1.5.0", Rollout: 1, Attempt: 1}
	if got, want := id.Name(), "shop-1.5.0-1-ad1120b4eeffc705"; got != want {
		t.Errorf("Name() = %s, want %s", got, want)
	}
	id.Rollout, id.Attempt = 12, 3
	if got, want := id.Name(), "shop-1.5.0-12.3-a021b52e12ba17c2"; got != want {
		t.Errorf("Name() = %s, want %s", got, want)
	}
}

func TestBackupNamesDiffer(t *testing.T) {
	long := strings.Repeat("very-long-", 12)
	ids := []BackupID{
		{"c", "ns", "shop", "1.5.0", 1, 1}, {"c", "ns", "shop", "1.5.0", 1, 2}, {"c", "ns", "shop", "1.5.0", 2, 1},
		{"c", "ns", "shop", "1.5.0", 11, 1}, {"c", "ns", "shop", "1.5.0", 1, 11}, {"c", "ns", "shop", "1.5.0+", 1, 1},
		{"c", "ns", "shop", "1.5.0+a", 1, 1}, {"c", "ns", "shop", "1.5.0-a", 1, 1}, {"c", "ns2", "shop", "1.5.0", 1, 1},
		{"c", "ns", "shop-1", "5.0", 1, 1}, {"c", "ns", "SHOP", "1.5.0", 1, 1}, {"c", "ns", "shop", "1.5.0-1", 1, 1},
		{"c", "ns", "shop", long, 1, 1}, {"c", "ns", "shop", long + "x", 1, 1}, {"c", "ns", "shop", "äöü", 1, 1}, {"c", "ns", "shop", "---", 1, 1},
		{"c", "ns", "shop", "V1", 1, 1}, {"c", "ns", "shop", "v1", 1, 1}, {"c2", "ns", "shop", "1.5.0", 1, 1},
	}
	seen := map[string]BackupID{}
	for _, id := range ids {
		name := id.Name()
		if other, taken := seen[name]; taken {
			t.Errorf("%+v and %+v are both named %s", id, other, name)
		}
		seen[name] = id
	}
}

func checkBackupName(t *testing.T, id BackupID) {
	t.Helper()
	name := id.Name()
	if errs := validation.IsDNS1123Subdomain(name); len(errs) > 0 || len(name) > 63 {
		t.Errorf("%+v is named %q, of %d characters: %v", id, name, len(name), errs)
	}
	if errs := validation.IsValidLabelValue(name); len(errs) > 0 {
		t.Errorf("%+v is named %q, which Velero cannot put into a label: %v", id, name, errs)
	}
	if again := id.Name(); again != name {
		t.Errorf("%+v is named %q, then %q", id, name, again)
	}
}

func FuzzBackupName(f *testing.F) {
	f.Add("ns", "shop", "1.5.0", int32(1), int32(1))
	f.Add("ns", strings.Repeat("a.", 31)+"a", strings.Repeat("-", 128), int32(math.MaxInt32), int32(math.MaxInt32))
	f.Add("", "", "", int32(-1), int32(0))
	f.Add("ns", "a", "ä.-.ö", int32(1), int32(2))
	f.Add("n\x00s", "a", "..", int32(1), int32(2))
	f.Fuzz(func(t *testing.T, namespace, plan, version string, rollout, attempt int32) {
		id := BackupID{"c", namespace, plan, version, max(rollout, 1), max(attempt, 1)}
		checkBackupName(t, id)
		for _, other := range []BackupID{
			{"c2", namespace, plan, version, id.Rollout, id.Attempt},
			{"c", namespace + "x", plan, version, id.Rollout, id.Attempt},
			{"c", namespace, plan + "-", version, id.Rollout, id.Attempt},
			{"c", namespace, plan, version + "\x00", id.Rollout, id.Attempt},
			{"c", namespace, plan, strings.ToUpper(version) + "Z", id.Rollout, id.Attempt},
			{"c", namespace, plan, version, id.Rollout%math.MaxInt32 + 1, id.Attempt},
			{"c", namespace, plan, version, id.Rollout, id.Attempt%math.MaxInt32 + 1},
		} {
			if other.Name() == id.Name() {
				t.Errorf("%+v and %+v are both named %s", id, other, id.Name())
			}
		}
	})
}

func TestReleaseName(t *testing.T) {
	for _, tc := range []struct{ plan, version, want string }{
		{"shop", "1.5.0", "shop-1.5.0"},
		{"shop", "v1-rc.2", "shop-v1-rc.2"},
		{"shop", "1.5.0-RC1", "shop-1.5.0-rc1-375257d7"},
		{"shop", "1.5.0+build", "shop-1.5.0-build-41c9861d"},
		{"shop", "main ", "shop-main-b0df11d3"},
		{"shop", "ä", "shop-8b6017db"},
	} {
		got := ReleaseName(tc.plan, tc.version)
		if got != tc.want {
			t.Errorf("ReleaseName(%q, %q) = %s, want %s", tc.plan, tc.version, got, tc.want)
		}
	}
	if got, want := ReleaseNamePrefix("shop", "1.5.0-RC1"), "shop-1.5.0-rc1-"; got != want {
		t.Errorf("ReleaseNamePrefix() = %s, want %s", got, want)
	}
}

// FuzzReleaseName: every plan and version makes names that Kubernetes takes.
func FuzzReleaseName(f *testing.F) {
	f.Add("shop", "1.5.0")
	f.Add("a.b", strings.Repeat("Ä", 128))
	f.Add("a", "")
	f.Fuzz(func(t *testing.T, plan, version string) {
		if len(plan) > 63 || len(version) > 128 || len(validation.IsDNS1123Subdomain(plan)) > 0 {
			return // the API takes neither longer ones, nor another plan
		}
		for _, name := range []string{ReleaseName(plan, version), ReleaseNamePrefix(plan, version) + "x7k2p"} {
			if errs := validation.IsDNS1123Subdomain(name); len(errs) > 0 {
				t.Errorf("release of %q %q is named %q: %v", plan, version, name, errs)
			}
		}
		label := LabelValue(version)
		if errs := validation.IsValidLabelValue(label); len(errs) > 0 {
			t.Errorf("LabelValue(%q) = %q: %v", version, label, errs)
		}
	})
}
