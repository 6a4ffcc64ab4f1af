// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/backstay-dr/backstay/test/cluster/devcluster"
)

// make demo in one checkout silently replaced the running demo of another.
func TestDemosOfTwoCheckoutsRunBesideEachOther(t *testing.T) {
	dir := t.TempDir()
	one, other, link := filepath.Join(dir, "one"), filepath.Join(dir, "other"), filepath.Join(dir, "link")
	for _, checkout := range []string{one, other} {
		if err := os.Mkdir(checkout, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(one, link); err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	for _, checkout := range []string{one, other, link} {
		name, err := defaultName(checkout)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := devcluster.Folder(name, ""); err != nil {
			t.Error(err)
		}
		names[checkout] = name
	}
	if names[one] == names[other] {
		t.Errorf("both are named %s", names[one])
	}
	if names[one] != names[link] {
		t.Errorf("one checkout has two demos: %s and %s", names[one], names[link])
	}
}
