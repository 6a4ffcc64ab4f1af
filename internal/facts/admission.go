// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package facts

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/workload"
)

// Overridden reports whether the record of an override that nobody saw held can be relied on: a gate that was in force wrote
// it, for a workload of this plan. Where none is, whoever may edit a workload writes what they like.
func (f *Facts) Overridden(m *Member) bool {
	return m.Override != nil && gateProven(f) && !f.FirstSeen(m)
}

// CauseUnheld is the cause of a rollout that nothing held: where the gate was to hold it, and was not known to be out of force,
// it escaped.
func (f *Facts) CauseUnheld() v1alpha1.RolloutCause {
	if f.Mode() != v1alpha1.GateModeHold {
		return v1alpha1.CauseObserved
	}
	// Unknown it is where there was no workload to probe the gate with: the policies are installed.
	// So are they where the probe was refused, for the workload that was probed, for example.
	gated := meta.FindStatusCondition(f.Plan.Status.Conditions, v1alpha1.ConditionGated)
	if gated == nil || gated.Status == metav1.ConditionFalse && gated.Reason != v1alpha1.ReasonProbeFailed {
		return v1alpha1.CauseObserved
	}
	return v1alpha1.CauseEscaped
}

// Admission is how the operator admitted a template of a workload, as the workload or its ReplicaSet tells; nil where it did
// not.
func Admission(m *Member, hash string) *workload.Admission {
	if m.Admitted.Of(hash) {
		return m.Admitted
	}
	for i := range m.Revisions {
		if rev := &m.Revisions[i]; rev.Template.Hash == hash && rev.Admitted.Of(hash) {
			return rev.Admitted
		}
	}
	return nil
}

// Credible reports whether an admission explains that something runs: this plan's own does, whatever its reason, and another
// plan's where a backup allowed it. A second plan with a short deadline is no way around the first.
func (f *Facts) Credible(a *workload.Admission) bool {
	return a != nil && (a.Plan == f.Name || a.Reason == string(v1alpha1.StartBackupCompleted))
}

// gateProven reports whether the plan holds, and was proven to.
func gateProven(f *Facts) bool {
	return f.Mode() == v1alpha1.GateModeHold && meta.IsStatusConditionTrue(f.Plan.Status.Conditions, v1alpha1.ConditionGated)
}
