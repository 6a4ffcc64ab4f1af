// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
)

// NoteDeadlines records which workloads are held beyond their deadline: what is recorded is told once, also by an operator
// that was restarted. One whose user paused it waits for them.
func NoteDeadlines(f *facts.Facts, book *records.Book) {
	for ro := range book.Rollouts() {
		for i := range ro.Workloads {
			rec := &ro.Workloads[i]
			switch {
			case rec.State != v1alpha1.WorkloadHeld:
			case !f.HeldTooLong(rec):
				rec.DeadlineTime = nil
			case rec.DeadlineTime == nil:
				rec.DeadlineTime = &f.At
			}
		}
	}
}

// NoteFailures records which workloads of open rollouts made no progress within their deadline, and that one goes on again.
func NoteFailures(f *facts.Facts, book *records.Book) {
	for ro := range book.Rollouts() {
		if !records.IsOpen(ro.Rollout) {
			continue
		}
		for i := range ro.Workloads {
			rec := &ro.Workloads[i]
			m := f.MemberOf(rec)
			switch {
			case m == nil || string(m.UID) != rec.UID:
			case rec.State != v1alpha1.WorkloadAdmitted || m.Observed && !m.Failed:
				rec.FailedTime = nil
			case !m.Failed: // its controller has not looked yet
			case rec.FailedTime == nil:
				rec.FailedTime = &f.At
			}
		}
	}
}
