// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package facts

import (
	"cmp"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// HeldTooLong reports whether a held workload stays held though its deadline has passed.
func (f *Facts) HeldTooLong(rec *v1alpha1.RolloutWorkload) bool {
	g := f.Plan.Spec.Gate
	return g.Mode == v1alpha1.GateModeHold && g.OnDeadline == v1alpha1.DeadlineHold && !f.UserPaused(rec) && f.PastDeadline(rec)
}

// PastDeadline reports whether the deadline of a held workload has passed.
func (f *Facts) PastDeadline(rec *v1alpha1.RolloutWorkload) bool {
	return WaitingSince(rec) != nil && !f.Now.Before(f.Deadline(rec))
}

// Deadline is that of a workload that waits: see WaitingSince.
func (f *Facts) Deadline(rec *v1alpha1.RolloutWorkload) time.Time {
	return WaitingSince(rec).Add(seconds(f.Plan.Spec.Gate.DeadlineSeconds))
}

// WaitingSince is since when a workload waits; nil where it was not held.
func WaitingSince(rec *v1alpha1.RolloutWorkload) *metav1.Time {
	return cmp.Or(rec.WaitingSince, rec.HeldSince)
}
