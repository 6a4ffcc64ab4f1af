// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"slices"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/backup"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/rule"
)

// stillToBackUp reports whether what started without a backup is still to be backed up. After as many failures as a person
// is called for, that goes on only where the gate was to hold it, and for as long as nothing else has backed it up.
func stillToBackUp(f *facts.Facts, book *records.Book, ro records.Rollout) bool {
	if !records.StartedUnheld(ro.Rollout) || f.Mode() == v1alpha1.GateModeDisabled {
		return false
	}
	if ro.Backup == nil || records.BackupUnderWay(ro.Rollout) {
		return true
	}
	return records.BackupFailed(ro.Rollout) && (!backup.CallsAPerson(f, ro) || rule.UnprotectedEscape(f, book, ro) && records.AllRolledOut(ro.Rollout))
}

// Abandon ends the rollouts of a plan that is gone. A plan of the same name that is created later begins anew: what was
// admitted in between did not escape it.
func Abandon(f *facts.Facts, book *records.Book) {
	for ro := range book.Rollouts() {
		if !records.IsOpen(ro.Rollout) || len(ro.Workloads) == 0 {
			continue
		}
		for i := range ro.Workloads {
			if rec := &ro.Workloads[i]; !records.Ended(rec) {
				rec.State = v1alpha1.WorkloadAbandoned
			}
		}
		ro.Outcome, ro.CompletionTime = records.Outcome(ro.Rollout), &f.At
	}
}

// Close ends the rollouts of which nothing is left to wait for.
func Close(f *facts.Facts, book *records.Book) {
	for ro := range book.Rollouts() {
		if !records.IsOpen(ro.Rollout) {
			continue
		}
		switch {
		case records.IsAhead(ro.Rollout) && ro.Rollout != &ro.Of.Wanted.Rollouts[0]:
			ro.Outcome, ro.CompletionTime = v1alpha1.OutcomeSuperseded, &f.At
		case finished(f, book, ro):
			ro.Outcome, ro.CompletionTime = records.Outcome(ro.Rollout), &f.At
		}
	}
}

// finished reports whether nothing is left to wait for.
func finished(f *facts.Facts, book *records.Book, ro records.Rollout) bool {
	if len(ro.Workloads) == 0 {
		return false
	}
	if stillToBackUp(f, book, ro) {
		return false // what started without a backup gets one all the same
	}
	return !slices.ContainsFunc(ro.Workloads, func(rec v1alpha1.RolloutWorkload) bool { return !records.Ended(&rec) })
}
