// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/records"
)

// fitPlan does so with the status of a plan: the workloads go first that it selected the longest ago, then revisions that
// workloads ran before.
func fitPlan(s *v1alpha1.DRPlanStatus) {
	if len(s.Held)+len(s.Workloads)+len(s.Departed) <= records.SurelyFits {
		return
	}
	for records.Size(s) > records.MaxStatus && len(s.Departed) > 0 {
		s.Departed = s.Departed[1:]
	}
	for keep := maxOtherRevisions - 1; records.Size(s) > records.MaxStatus && keep >= 0; keep-- {
		for i := range s.Workloads {
			w := &s.Workloads[i]
			w.OtherRevisions = w.OtherRevisions[:min(len(w.OtherRevisions), keep)]
		}
	}
}
