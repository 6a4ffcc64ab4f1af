// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"slices"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
)

// recordDeparted keeps what the plan knows of workloads that it selects no more, for as long as they exist: should one come
// back with another template, that bypassed the gate. And of those that were deleted without their pods, until another one of the
// name adopts these.
func recordDeparted(f *facts.Facts, s *v1alpha1.DRPlanStatus) {
	s.Departed = nil
	remembered := slices.Concat(f.Plan.Status.Departed, f.Plan.Status.Workloads)
	keep := func(w v1alpha1.PlanWorkload) {
		s.Departed = slices.DeleteFunc(s.Departed, func(other v1alpha1.PlanWorkload) bool { return facts.KeyOfSeen(&other) == facts.KeyOfSeen(&w) })
		s.Departed = append(s.Departed, w)
	}
	for i := range remembered {
		if w := &remembered[i]; w.TemplateHash != "" && !facts.Exists(f, w) && f.Left[facts.LeftBy(w)] {
			keep(*w)
		}
	}
	for i := range remembered {
		if w := &remembered[i]; w.TemplateHash != "" && facts.Exists(f, w) && !f.Member(facts.KeyOfSeen(w)).Selected {
			keep(*f.SeenBefore(f.Member(facts.KeyOfSeen(w))))
		}
	}
	s.Departed = s.Departed[max(0, len(s.Departed)-v1alpha1.MaxWorkloads):]
}
