// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package rule is the release rule: when a held workload may start, and what it waits for until then.
package rule

import (
	"fmt"
	"slices"
	"time"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/workload"
)

// Wait is what a rollout waits for, as people read it.
type Wait struct {
	Reason, Message string

	// Until is when it may be over without anything that is observed having changed; zero where it is not by time.
	Until time.Time
}

// Waits are what rollouts wait for before an attempt at their backup can be created.
type Waits map[*v1alpha1.Rollout]Wait

// Ruling is what the release rule says of a held workload: why it may start now, or what it waits for.
type Ruling struct {
	Start v1alpha1.StartReason // "" where it must wait
	Wait  Wait

	// Until is the deadline of a workload that must wait; zero where it has none.
	Until time.Time
}

// Apply is the release rule. Without a Completed backup that nothing has changed under, it is the plan that must allow a start: by its
// mode, or by its deadline. Where its user paused a workload nothing would start: it stays held, so that the rule is asked when the
// user resumes it. (A revert starts nothing new and needs no rule; an override has happened already when the operator sees it.)
func Apply(f *facts.Facts, book *records.Book, ro records.Rollout, rec *v1alpha1.RolloutWorkload) Ruling {
	r := Ruling{}
	if facts.WaitingSince(rec) != nil {
		r.Until = f.Deadline(rec)
	}
	blocked, isBlocked := Blocked(f, book, ro, rec)
	switch gate := f.Plan.Spec.Gate; {
	case gate.Mode != v1alpha1.GateModeHold:
		r.Start = v1alpha1.StartModeChanged
	case f.UserPaused(rec):
		r.Wait = Wait{Reason: v1alpha1.ReasonPaused, Message: "it was paused by a user before it was held: resume it with " + Resume(rec)}
	case !isBlocked:
		r.Start = v1alpha1.StartBackupCompleted
	case gate.OnDeadline == v1alpha1.DeadlineRelease && f.PastDeadline(rec):
		r.Start = v1alpha1.StartDeadlinePassed
	default:
		r.Wait = blocked
	}
	return r
}

// Resume is the command by which a user resumes the workload of a record.
func Resume(rec *v1alpha1.RolloutWorkload) string {
	if k := workload.KindOf(facts.KeyOf(rec)); k != nil {
		return k.Resume
	}
	return "a change of its spec" // a kind that this version does not know
}

// check is one thing that the backup of a rollout must pass before a held workload may rely on it. Where it does not, the check says
// what is waited for: the rule is its own explanation.
type check func(*facts.Facts, *records.Book, records.Rollout, *v1alpha1.RolloutWorkload) (Wait, bool)

var (
	// attemptChecks are about the latest attempt at the backup, whatever relies on it, in their order.
	attemptChecks = []check{notRequested, attemptFailed, notCompleted}

	// relianceChecks are about what a held workload may rely on, once the backup is Completed.
	relianceChecks = []check{overtakenByStart, tooOld}

	backupChecks = slices.Concat(attemptChecks, relianceChecks)
)

// Blocked finds what a workload waits for before its rollout's backup lets it start.
func Blocked(f *facts.Facts, book *records.Book, ro records.Rollout, rec *v1alpha1.RolloutWorkload) (Wait, bool) {
	return firstFailed(f, book, backupChecks, ro, rec)
}

// firstFailed finds the first of some checks that is not passed.
func firstFailed(f *facts.Facts, book *records.Book, checks []check, ro records.Rollout, rec *v1alpha1.RolloutWorkload) (Wait, bool) {
	for _, blocks := range checks {
		if w, is := blocks(f, book, ro, rec); is {
			return w, true
		}
	}
	return Wait{}, false
}

// BackupState is how the backup of a rollout stands that is wanted.
func BackupState(f *facts.Facts, waits Waits, ro records.Rollout) Wait {
	return afterFailures(f, ro, attemptState(f, waits, ro))
}

// attemptState is how the latest attempt at it stands: what it waits for before it begins, or the first check of the release rule that
// it does not pass.
func attemptState(f *facts.Facts, waits Waits, ro records.Rollout) Wait {
	if w, waits := waits[ro.Rollout]; waits {
		return w
	}
	if w, failed := firstFailed(f, nil, attemptChecks, ro, nil); failed {
		return w
	}
	return Wait{Reason: v1alpha1.ReasonBackupCompleted, Message: fmt.Sprintf("backup %s is Completed", ro.Backup.Name)}
}
