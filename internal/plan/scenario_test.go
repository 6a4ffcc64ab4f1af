// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"testing"
	"time"
)

func TestNormalRollout(t *testing.T) {
	s := shopSim(t, "web", "api")
	s.record()
	s.set("web", "1.5.0")
	s.pass(20 * time.Second)
	s.check(t, "normal")
}
