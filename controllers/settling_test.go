// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

func TestWriteIsPutOffForAMomentAndNeverLonger(t *testing.T) {
	var p putOffs
	key, other, start := client.ObjectKey{Name: "shop"}, client.ObjectKey{Name: "bank"}, time.Unix(1000, 0)
	for _, step := range []struct {
		name     string
		key      client.ObjectKey
		after    time.Duration
		settling bool
		want     time.Duration
	}{
		{"settled: at once", key, 0, false, 0},
		{"it begins to settle", key, 0, true, settleFor},
		{"it goes on settling", key, settleFor / 2, true, settleFor / 2},
		{"another plan is on its own", other, settleFor / 2, true, settleFor},
		{"it has settled for long enough", key, settleFor, true, 0},
		{"after a write it starts anew", key, settleFor, true, settleFor},
		{"settled before its time", key, settleFor + 1, false, 0},
		{"and anew", key, 3 * settleFor, true, settleFor},
	} {
		if got := p.more(step.key, step.settling, start.Add(step.after)); got != step.want {
			t.Errorf("%s: put off for %s, want %s", step.name, got, step.want)
		}
	}
}
