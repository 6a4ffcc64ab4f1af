// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"time"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/backup"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/rule"
	"github.com/backstay-dr/backstay/internal/running"
)

// backupBegun reports whether the backup of a rollout began already: what escapes now is backed up by another one.
func backupBegun(f *facts.Facts, ro records.Rollout) bool {
	if ro.Backup == nil {
		return false
	}
	b := f.Backups[ro.Backup.Name]
	return b != nil && backup.Begun(b) || records.Over(ro.Backup.Phase)
}

// joinable is the rollout of a release that a workload belongs to: its newest, while that is open and the workload has
// not started in it. A further change of a workload that started is a rollout of its own.
func joinable(r *records.Release, m *facts.Member) (records.Rollout, bool) {
	ro, exists := r.Newest()
	if !exists || !records.IsOpen(ro.Rollout) {
		return records.Rollout{}, false
	}
	rec := records.RecordOf(ro.Rollout, m)
	return ro, rec == nil || rec.StartReason == ""
}

// applyTime is how long one apply may take, from the first of its workloads that is admitted to the last that arrives.
const applyTime = 10 * time.Second

// latecomer reopens the rollout that a workload belongs to, where that rolled out a moment ago: what belongs to one apply
// belongs to one rollout, though its first workloads were quick. It must not have been part of it, and the backup must be one
// that the rule may rely on.
func latecomer(f *facts.Facts, book *records.Book, r *records.Release, m *facts.Member) (records.Rollout, bool) {
	ro, exists := r.Newest()
	if !exists || ro.Outcome != v1alpha1.OutcomeRolledOut || ro.AdmittedTime == nil || f.Now.Sub(ro.AdmittedTime.Time) > applyTime ||
		records.StartedUnheld(ro.Rollout) || records.IsIn(ro, m) {
		return records.Rollout{}, false
	}
	asIfHeld := &v1alpha1.RolloutWorkload{Group: m.Group, Kind: m.Kind, Name: m.Name, TemplateHash: m.Template.Hash}
	if _, blocked := rule.Blocked(f, book, ro, asIfHeld); blocked {
		return records.Rollout{}, false
	}
	ro.Outcome, ro.CompletionTime = "", nil
	return ro, true
}

// joinAhead notes what runs when the first workload comes to a rollout that was announced before.
func joinAhead(f *facts.Facts, book *records.Book, ro records.Rollout) {
	if records.IsAhead(ro.Rollout) {
		ro.PreviousVersion = running.PreviousVersions(f, book)
	}
}
