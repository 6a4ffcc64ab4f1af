// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"testing"
	"time"

	"github.com/backstay-dr/backstay/internal/plan"
	"github.com/backstay-dr/backstay/test/gen"
)

// The status of a plan is put off only while it is about to change again within moments.
func TestSettling(t *testing.T) {
	for name, tc := range map[string]struct {
		reach func(s *sim)
		want  bool
	}{
		"at rest":                       {func(*sim) {}, false},
		"held, and not recorded":        {func(s *sim) { s.op.down = true; s.set("web", "1.5.0") }, true},
		"recorded a moment ago":         {func(s *sim) { s.set("web", "1.5.0"); s.settle() }, true},
		"held for longer":               {func(s *sim) { s.velero.down = true; s.set("web", "1.5.0"); s.pass(5 * time.Second) }, false},
		"the backup allows the start":   {func(s *sim) { s.set("web", "1.5.0"); s.pass(time.Second); s.op.down = true; s.pass(aWhile) }, true},
		"let go, and not recorded":      {func(s *sim) { s.set("web", "1.5.0"); s.passUntilLetGo("web") }, true},
		"rolled out":                    {func(s *sim) { s.set("web", "1.5.0"); s.pass(aWhile) }, false},
		"paused by its user, backed up": {func(s *sim) { s.edit("web", "user", gen.Paused()); s.set("web", "1.5.0"); s.pass(aWhile) }, false},
		"the plan is gone":              {func(s *sim) { s.set("web", "1.5.0"); s.deletePlan(shop) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := shopSim(t, "web")
			tc.reach(s)
			in := s.op.observe(s.op.caches(), shop)
			if got := plan.Decide(in, s.op.finding(in)).PlanSettles; got != tc.want {
				t.Errorf("settling: %t, want %t", got, tc.want)
			}
		})
	}
}

// passUntilLetGo lets time pass until a held workload is let go, and not a second longer.
func (s *sim) passUntilLetGo(name string) {
	s.Helper()
	for range 60 {
		if view(s.deployments[name]).HeldBy == "" {
			return
		}
		s.pass(time.Second)
	}
	s.Fatalf("%s is still held", name)
}
