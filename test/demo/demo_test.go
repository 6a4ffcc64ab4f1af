// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/backstay-dr/backstay/test/cluster/devcluster"
)

// The demo tells the whole story on a cluster of its own, and leaves nothing when it is removed.
func TestDemoShowsHoldBackupReleaseAndDrift(t *testing.T) {
	name := fmt.Sprintf("demo-test-%d", os.Getpid())
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		var out bytes.Buffer
		if err := run(ctx, &out, []string{"--name", name, "down"}); err != nil {
			t.Errorf("%v\n%s", err, out.String())
		}
		folder, err := devcluster.Folder(name, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(folder); err != nil { // It has nothing but logs.
			t.Error(err)
		}
	})
	var out bytes.Buffer
	if err := run(t.Context(), &out, []string{"--name", name}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	// What a reader must see, in this order.
	rest := out.Bytes()
	for _, want := range []string{
		`Gated is True`,
		`shop +1\.4\.2 +1\.4\.2 .*InSync .*True +nothing is held`,
		`Warning: .*rollout of web is held by DRPlan shop`,
		`shop-1\.5\.0 +shop +1\.5\.0 +1\.4\.2 +New +VeleroNotResponding`,
		`apprelease.dr.backstay.dev/shop-1\.5\.0 condition met`,
		`shop +1\.4\.2 +1\.5\.0 +1\.4\.2 +VersionBehind`,
		`shop-1\.5\.0 +shop +1\.5\.0 +1\.4\.2 +Completed +RolledOut`,
		`Admitted +deployment/web +released: backup \S+ is Completed`,
		`export KUBECONFIG=\S+/kubeconfig`,
	} {
		at := regexp.MustCompile(want).FindIndex(rest)
		if at == nil {
			t.Fatalf("the demo does not show %q, or not where it should:\n%s", want, out.String())
		}
		rest = rest[at[1]:]
	}
}
