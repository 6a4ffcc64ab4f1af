// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

func TestWriteIsPutOffForAMomentAndNeverLonger(t *testing.T) {
	const limit = 2 * time.Second
	p := putOffs{limit: limit}
	key, other, start := client.ObjectKey{Name: "shop"}, client.ObjectKey{Name: "bank"}, time.Unix(1000, 0)
	for _, step := range []struct {
		name     string
		key      client.ObjectKey
		after    time.Duration
		settling bool
		want     time.Duration
	}{
		{"settled: at once", key, 0, false, 0},
		{"it begins to settle", key, 0, true, limit},
		{"it goes on settling", key, limit / 2, true, limit / 2},
		{"another plan is on its own", other, limit / 2, true, limit},
		{"it has settled for long enough", key, limit, true, 0},
		{"after a write it starts anew", key, limit, true, limit},
		{"settled before its time", key, limit + 1, false, 0},
		{"and anew", key, 3 * limit, true, limit},
	} {
		if got := p.more(step.key, step.settling, start.Add(step.after)); got != step.want {
			t.Errorf("%s: put off for %s, want %s", step.name, got, step.want)
		}
	}
}
