// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package actuate

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/internal/workload"
)

// release releases a workload from its hold. Where a policy is to give the field back that holds, and is missing, as while Backstay is being
// uninstalled, nothing gave it back, or the policy that bounds the operator refused to take the mark off without that.
func (a *Actuator) release(ctx context.Context, v *workload.View, why workload.Admission) error {
	stored, err := a.patch(ctx, v, workload.ReleasePatch(v, why))
	k := workload.KindOf(v.Key)
	spec := k.Restore(v)
	switch {
	case spec == nil, err == nil && !k.Paused(stored), err != nil && !apierrors.IsForbidden(err):
		return err
	case err == nil:
		again := *v
		again.ResourceVersion = stored.GetResourceVersion()
		v = &again
	}
	_, err = a.patch(ctx, v, workload.RestorePatch(v, why, spec))
	return err
}

func (a *Actuator) patchWorkload(ctx context.Context, v *workload.View, patch []byte) error {
	_, err := a.patch(ctx, v, patch)
	return err
}

// patch returns the workload as it was stored.
func (a *Actuator) patch(ctx context.Context, v *workload.View, patch []byte) (workload.Object, error) {
	w := workload.KindOf(v.Key).New()
	w.SetNamespace(v.Namespace)
	w.SetName(v.Name)
	if err := a.Client.Patch(ctx, w, client.RawPatch(types.MergePatchType, patch)); err != nil {
		return nil, fmt.Errorf("patch %s %s: %w", v.Kind, v.Name, err)
	}
	a.replacedWorkloads.noteWorkload(v, w)
	return w, nil
}
