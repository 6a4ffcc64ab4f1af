// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"reflect"
	"slices"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/plan"
)

// confirm looks at what really is before an escape or a loss is recorded.
func (o *operator) confirm(d plan.Decision) error {
	for i := range d.Escapes {
		e := &d.Escapes[i]
		live := o.deployments[e.Workload.Name]
		if live != nil {
			live = cut(live).(*appsv1.Deployment) // as the cache would show it
		}
		if live == nil || live.UID != e.Workload.UID || live.Generation != e.Workload.Generation ||
			live.Annotations[v1alpha1.AnnotationHeldBy] != e.Workload.HeldBy || !reflect.DeepEqual(view(live).Admitted, e.Workload.Admitted) ||
			!reflect.DeepEqual(view(live).Override, e.Workload.Override) {
			return errConflict
		}
		if set := o.sets[e.Revision]; e.Revision != "" && (set == nil || *set.Spec.Replicas == 0) {
			return errConflict
		}
	}
	if slices.ContainsFunc(d.Lost, func(name string) bool { return o.backups[name] != nil }) {
		return errConflict
	}
	return nil
}
