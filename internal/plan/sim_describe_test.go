// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"cmp"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

func describePlan(p *v1alpha1.DRPlan) string {
	v := p.Status.Versions
	text := fmt.Sprintf("%s runs %s, protects %s, holds %d", p.Name, cmp.Or(v.Running, "nothing"), cmp.Or(v.Protected, "nothing"), p.Status.HeldCount)
	for _, t := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionGated} {
		if c := meta.FindStatusCondition(p.Status.Conditions, t); c != nil {
			text += fmt.Sprintf("; %s=%s %s", t, c.Status, c.Reason)
		}
	}
	return text
}

// describeRelease leaves out what every hold says alike: how to override it.
func describeRelease(r *v1alpha1.AppRelease) string {
	var out strings.Builder
	fmt.Fprint(&out, r.Name)
	if ready := meta.FindStatusCondition(r.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
		message, _, _ := strings.Cut(ready.Message, " To start it without a backup:")
		fmt.Fprintf(&out, " Ready=%s %s: %s", ready.Status, ready.Reason, message)
	}
	for i := range r.Status.Rollouts {
		fmt.Fprintf(&out, "\n%20s%s", "", describeRollout(&r.Status.Rollouts[i]))
	}
	return out.String()
}

func describeRollout(ro *v1alpha1.Rollout) string {
	parts := []string{fmt.Sprintf("#%d %s after %s", ro.Number, ro.Cause, cmp.Or(ro.PreviousVersion, "nothing"))}
	if b := ro.Backup; b != nil {
		parts = append(parts, fmt.Sprintf("backup %s %s of %s", b.Name, cmp.Or(b.Phase, "unseen"), cmp.Or(b.Version, "a mixed state")))
	}
	for i := range ro.Workloads {
		rec := &ro.Workloads[i]
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("%s %s %s", rec.Name, rec.State, rec.StartReason)))
	}
	if ro.Outcome != "" {
		parts = append(parts, string(ro.Outcome))
	}
	return strings.Join(parts, "; ")
}
