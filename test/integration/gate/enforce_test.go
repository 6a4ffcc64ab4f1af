// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/gate"
	"github.com/backstay-dr/backstay/internal/workload"
)

// enforce creates a plan in mode Hold and waits until it has reached admission: the policies that mutate and those that
// validate hear of it each through an informer of their own. It asks by dry runs, for a workload that it takes away again.
func (s *shop) enforce(plan *v1alpha1.DRPlan) {
	s.t.Helper()
	s.create(plan)
	scratch := s.deployment("scratch-" + plan.Name)
	scratch.Labels = map[string]string{}
	for key, value := range plan.Spec.Workloads.MatchLabels {
		scratch.Labels[key] = string(value)
	}
	s.create(scratch)
	c, warnings := s.listening(s.cp.Admin)
	s.eventually("the plan "+plan.Name+" is in force", func() error {
		answer := scratch.DeepCopy()
		err := c.Patch(s.t.Context(), answer, client.RawPatch("application/merge-patch+json", gate.ProbePatch(workload.Deployment)), client.DryRunAll)
		if err != nil {
			return err
		}
		heard := strings.Join(warnings.Take(), " ")
		// Where several plans select it, the API server asks them in no order, and the last one is named.
		if !gate.ProbeHeld(workload.Deployment, answer, plan.Name) || !strings.Contains(heard, "is held by DRPlan "+plan.Name+" ") {
			return fmt.Errorf("%+v, warnings: %s", stateOf(answer), heard)
		}
		return nil
	})
	if err := s.cp.Client.Delete(s.t.Context(), scratch); err != nil {
		s.t.Fatal(err)
	}
}
