// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package actuate

import (
	"context"
	"errors"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/plan"
	"github.com/backstay-dr/backstay/internal/workload"
)

// markWorkloads changes what workloads say of their hold: the mark that somebody removed, why it lasts, and what means
// nothing any more. Who overrode a hold, and why, stays there until everything is recorded.
func (a *Actuator) markWorkloads(ctx context.Context, in facts.Input, d plan.Decision, recorded bool) error {
	var errs []error
	mark := func(v *workload.View, patch []byte) {
		errs = append(errs, client.IgnoreNotFound(a.patchWorkload(ctx, v, patch)))
	}
	for i := range d.Remark {
		mark(&d.Remark[i], workload.RemarkPatch(&d.Remark[i], in.Name))
	}
	for i := range d.Explain {
		mark(&d.Explain[i].Workload, workload.HeldReasonPatch(&d.Explain[i].Workload, d.Explain[i].Text))
	}
	for i := range d.Clean {
		if recorded || d.Clean[i].Override == nil {
			mark(&d.Clean[i], workload.CleanPatch(&d.Clean[i]))
		}
	}
	return errors.Join(errs...)
}
