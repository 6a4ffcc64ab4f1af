// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package records

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
)

// Announces reports whether a release announces a rollout that was not handled yet: each generation with intent Deploy does.
// One that a restore brought back rolled out long ago, if it did: it announces nothing until its spec changes.
func Announces(r *Release) bool {
	handled := r.Wanted.AnnouncedGeneration
	if _, restored := r.Labels[velerov1.RestoreNameLabel]; restored || len(r.Wanted.Rollouts) > 0 {
		handled = max(handled, 1)
	}
	return r.Spec.Intent == v1alpha1.IntentDeploy && r.Generation > handled
}

// Holds reports whether a rollout has workloads that wait for its backup.
func Holds(ro *v1alpha1.Rollout) bool {
	return slices.ContainsFunc(ro.Workloads, func(rec v1alpha1.RolloutWorkload) bool { return rec.State == v1alpha1.WorkloadHeld })
}

// IsAhead reports whether a rollout was announced, and no workload has changed yet.
func IsAhead(ro *v1alpha1.Rollout) bool {
	return ro.Cause == v1alpha1.CauseAhead && len(ro.Workloads) == 0
}

// StartedUnheld reports whether something of a rollout started that nobody admitted.
func StartedUnheld(ro *v1alpha1.Rollout) bool {
	return slices.ContainsFunc(ro.Workloads, func(rec v1alpha1.RolloutWorkload) bool { return rec.StartReason == v1alpha1.StartNotHeld })
}

// CompareRollouts puts those first that hold something, then the oldest.
func CompareRollouts(a, b Rollout) int {
	rank := func(ro Rollout) int {
		if len(ro.Workloads) > 0 {
			return 0
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(rank(a), rank(b)),
		a.OpenedTime.Compare(b.OpenedTime.Time),
		cmp.Compare(a.Of.Name, b.Of.Name),
		cmp.Compare(a.Number, b.Number),
	)
}

// IsOpen reports whether a rollout has not ended.
func IsOpen(ro *v1alpha1.Rollout) bool { return ro.Outcome == "" }

// IsIn reports whether a rollout has a record of a workload, in whatever state.
func IsIn(ro Rollout, m *facts.Member) bool {
	return slices.ContainsFunc(ro.Workloads, func(rec v1alpha1.RolloutWorkload) bool { return facts.KeyOf(&rec) == m.Key })
}

// ReadyReason is the reason of a Ready condition; "" where there is none.
func ReadyReason(s *v1alpha1.AppReleaseStatus) string {
	if ready := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionReady); ready != nil {
		return ready.Reason
	}
	return ""
}

// Numbered is the rollout of a number; an empty one where a status has none.
func Numbered(s *v1alpha1.AppReleaseStatus, number int32) *v1alpha1.Rollout {
	for i := range s.Rollouts {
		if s.Rollouts[i].Number == number {
			return &s.Rollouts[i]
		}
	}
	return &v1alpha1.Rollout{}
}

// Escaped reports whether something of a rollout started that the gate was proven to hold, or that it held.
func Escaped(ro *v1alpha1.Rollout) bool {
	return ro.Cause == v1alpha1.CauseEscaped || slices.ContainsFunc(ro.Workloads, func(rec v1alpha1.RolloutWorkload) bool {
		return rec.StartReason == v1alpha1.StartNotHeld && rec.HeldSince != nil
	})
}

// AllRolledOut reports whether every workload of a rollout ended in it, and one of them runs its version.
func AllRolledOut(ro *v1alpha1.Rollout) bool {
	return len(ro.Workloads) > 0 && Outcome(ro) == v1alpha1.OutcomeRolledOut &&
		!slices.ContainsFunc(ro.Workloads, func(rec v1alpha1.RolloutWorkload) bool { return !Ended(&rec) })
}

// Outcome of a rollout whose workloads all ended: the furthest that one of them got.
func Outcome(ro *v1alpha1.Rollout) v1alpha1.RolloutOutcome {
	has := func(s v1alpha1.WorkloadState) bool {
		return slices.ContainsFunc(ro.Workloads, func(rec v1alpha1.RolloutWorkload) bool { return rec.State == s })
	}
	switch {
	case has(v1alpha1.WorkloadSuperseded):
		return v1alpha1.OutcomeSuperseded
	case has(v1alpha1.WorkloadRolledOut):
		return v1alpha1.OutcomeRolledOut
	case has(v1alpha1.WorkloadReverted):
		return v1alpha1.OutcomeReverted
	default:
		return v1alpha1.OutcomeAbandoned
	}
}

// Names lists the workloads of a rollout that are in a state.
func Names(ro *v1alpha1.Rollout, state v1alpha1.WorkloadState) string {
	return NamesWhere(ro, func(rec *v1alpha1.RolloutWorkload) bool { return rec.State == state })
}

// StartedBecause lists those that started for a reason.
func StartedBecause(ro *v1alpha1.Rollout, why v1alpha1.StartReason) string {
	return NamesWhere(ro, func(rec *v1alpha1.RolloutWorkload) bool { return rec.StartReason == why })
}

// NamesWhere lists at most five.
func NamesWhere(ro *v1alpha1.Rollout, is func(*v1alpha1.RolloutWorkload) bool) string {
	const limit = 5
	var out []string
	for i := range ro.Workloads {
		if is(&ro.Workloads[i]) {
			out = append(out, ro.Workloads[i].Name)
		}
	}
	if more := len(out) - limit; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(out[:limit], ", "), more)
	}
	return strings.Join(out, ", ")
}
