// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"strings"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/rule"
)

// announceHint is how to announce a rollout of a release that exists.
func announceHint(f *facts.Facts, r *records.Release) string {
	patch := fmt.Sprintf("kubectl -n %s patch apprelease %s --type merge -p ", f.Namespace, r.Name)
	hint := patch + `'{"spec":{"intent":"Deploy"}}'`
	if r.Spec.Intent == v1alpha1.IntentDeploy {
		hint = patch + `'{"spec":{"intent":"Record"}}', and then the same with "Deploy"`
	}
	return hint
}

// holdTerms says since and until when a rollout is held, and how to override that.
func holdTerms(f *facts.Facts, ro *v1alpha1.Rollout) string {
	first := firstHeld(f, ro)
	if first == nil {
		return ""
	}
	deadline := f.Deadline(first).UTC().Format(rule.Stamp)
	since := "Held since " + facts.WaitingSince(first).UTC().Format(rule.Stamp)
	switch {
	case f.UserPaused(first):
		since += ", until the backup is Completed and whoever paused it resumes it"
	case f.Plan.Spec.Gate.OnDeadline == v1alpha1.DeadlineRelease:
		since += fmt.Sprintf("; at the deadline, %s, it is released without a backup", deadline)
	case f.PastDeadline(first):
		since += fmt.Sprintf(", until the backup is Completed (the deadline was %s)", deadline)
	default:
		since += ", until the backup is Completed"
	}
	return since + ". " + overrideHint(f, first.Kind, first.Name)
}

// firstHeld is the workload of a rollout that has been held the longest; one that its user paused too only where that
// is so for all of them.
func firstHeld(f *facts.Facts, ro *v1alpha1.Rollout) *v1alpha1.RolloutWorkload {
	var first *v1alpha1.RolloutWorkload
	for i := range ro.Workloads {
		rec := &ro.Workloads[i]
		if rec.State != v1alpha1.WorkloadHeld || rec.HeldSince == nil {
			continue
		}
		if first == nil || f.UserPaused(first) && !f.UserPaused(rec) ||
			f.UserPaused(first) == f.UserPaused(rec) && facts.WaitingSince(rec).Before(facts.WaitingSince(first)) {
			first = rec
		}
	}
	return first
}

// overrideHint is how to start a held workload in an emergency.
func overrideHint(f *facts.Facts, kind v1alpha1.WorkloadKind, name string) string {
	return fmt.Sprintf("To start it without a backup: kubectl -n %s annotate %s %s %s='<why>'",
		f.Namespace, strings.ToLower(string(kind)), name, v1alpha1.AnnotationOverride)
}
