// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/printable"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/running"
)

// disturb takes their version back from the backups that were not seen to be over when something started: they may hold
// some of it. The backup that allowed this start is over, seen or not.
func disturb(book *records.Book, ro records.Rollout, why v1alpha1.StartReason) {
	allowed := ""
	if why == v1alpha1.StartBackupCompleted && ro.Backup != nil {
		allowed = ro.Backup.Name
	}
	for other := range book.Rollouts() {
		if b := other.Backup; b != nil && b.Name != allowed && !records.Over(b.Phase) {
			b.Version = ""
		}
	}
}

// trackAdmitted: a held change of a workload that is still rolling out freezes it, and supersedes it only when that
// change starts.
func trackAdmitted(rec *v1alpha1.RolloutWorkload, m *facts.Member) {
	switch {
	case m.Generation < rec.AdmittedGeneration || m.Held():
	case m.Template.Hash != rec.TemplateHash:
		if !m.Paused {
			rec.State = v1alpha1.WorkloadSuperseded
		}
	case m.RolledOut:
		rec.State = v1alpha1.WorkloadRolledOut
	}
}

// recordStart records that the new revision of a workload started, and that it rolled out where it did so already:
// nothing of the workload need change any more to bring that up.
func recordStart(f *facts.Facts, book *records.Book, ro records.Rollout, rec *v1alpha1.RolloutWorkload, m *facts.Member, why v1alpha1.StartReason) {
	rec.State = v1alpha1.WorkloadAdmitted
	if rec.StartReason == "" {
		rec.StartReason = why // what bypassed its hold stays recorded as that
	}
	rec.AdmittedGeneration = max(1, m.Generation)
	ro.AdmittedTime = facts.StartTime(f)
	if why == v1alpha1.StartOverridden {
		rec.Override = &v1alpha1.Override{User: bounded(m.Override.User), Reason: bounded(m.Override.Reason), Time: f.At}
	}
	trackAdmitted(rec, m)
	disturb(book, ro, why)
}

// bounded makes a text printable and keeps it within what the status takes.
func bounded(s string) string {
	const limit = 256
	if s == "" {
		return "unknown"
	}
	s = printable.Text(s)
	if runes := []rune(s); len(runes) > limit {
		return string(runes[:limit])
	}
	return s
}

// whyStarted is why a workload that was held runs: the override and the admission tell it, each written in the very write
// that let it start. Where neither does, nobody admitted it.
func whyStarted(f *facts.Facts, ro records.Rollout, rec *v1alpha1.RolloutWorkload, m *facts.Member) v1alpha1.StartReason {
	if m.Override != nil {
		return v1alpha1.StartOverridden
	}
	if a := running.AdmittedIn(f, ro, rec, m); a != nil {
		switch why := v1alpha1.StartReason(a.Reason); why {
		case v1alpha1.StartBackupCompleted, v1alpha1.StartDeadlinePassed, v1alpha1.StartModeChanged:
			return why
		}
	}
	return v1alpha1.StartNotHeld
}
