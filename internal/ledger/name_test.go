// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"testing"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/drift"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/test/gen"
)

// A decision knows its releases by their names: no two of a plan may have the same.
func TestReleaseIsNamedAsNoOtherOfItsPlan(t *testing.T) {
	f := facts.Of(facts.Input{Namespace: gen.DefaultNamespace, Name: "shop", Plan: gen.Plan("shop"), Releases: []*v1alpha1.AppRelease{
		gen.Release("shop", "0.8", gen.Named("shop-2")), gen.Release("shop", "0.9", gen.Named("shop-2-2")),
	}})
	if name := ensureRelease(f, records.Copy(f), drift.Version{Value: "2"}).Name; name != "shop-2-3" {
		t.Errorf("it is named %s", name)
	}
}
