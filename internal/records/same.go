// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package records

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// Same compares two statuses of a release. Nearly all of a large status is records of workloads, and nearly always
// they are the same: they are compared without reflection, which takes a tenth of the time.
func Same(a, b *v1alpha1.AppReleaseStatus) bool {
	if len(a.Rollouts) != len(b.Rollouts) {
		return false
	}
	x, y := *a, *b
	x.Rollouts, y.Rollouts = slices.Clone(a.Rollouts), slices.Clone(b.Rollouts)
	for i := range x.Rollouts {
		// What is not found to be the same in this way is left to the comparison of everything.
		if slices.EqualFunc(x.Rollouts[i].Workloads, y.Rollouts[i].Workloads, sameRecord) {
			x.Rollouts[i].Workloads, y.Rollouts[i].Workloads = nil, nil
		}
	}
	return equality.Semantic.DeepEqual(&x, &y)
}

// sameRecord reports whether two records are certainly the same. A field that is added to them and not here is compared by
// identity.
func sameRecord(a, b v1alpha1.RolloutWorkload) bool {
	if !a.HeldSince.Equal(b.HeldSince) || !a.WaitingSince.Equal(b.WaitingSince) || !a.FailedTime.Equal(b.FailedTime) || !a.DeadlineTime.Equal(b.DeadlineTime) ||
		(a.Override == nil) != (b.Override == nil) || a.Override != nil && *a.Override != *b.Override {
		return false
	}
	a.HeldSince, a.WaitingSince, a.FailedTime, a.DeadlineTime, a.Override = b.HeldSince, b.WaitingSince, b.FailedTime, b.DeadlineTime, b.Override
	return a == b
}
