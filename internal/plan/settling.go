// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"
	"time"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/ledger"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/rule"
	"github.com/backstay-dr/backstay/internal/running"
)

// passTime is for how long a release does not tell that a backup released its workloads: a quick rollout is then one
// write with its end.
const passTime = time.Second

// settles reports whether the plan's status is about to change again within moments, by what the releases are about to
// record or to start. A quick rollout is then one write.
func settles(f *facts.Facts, book *records.Book) bool {
	if facts.TooMany(f.Members) || f.Terminating {
		return false
	}
	return slices.ContainsFunc(f.Sorted, func(m *facts.Member) bool { return m.Selected && m.Driver && settling(f, book, m) })
}

func settling(f *facts.Facts, book *records.Book, m *facts.Member) bool {
	if !m.Held() {
		return book.RecordedHeld(m) // its start is about to be recorded
	}
	ro, rec := book.HeldRecord(m)
	if rec == nil && running.Restored(f, book, m) {
		return false // nothing but the plan's status remembers it
	}
	if rec == nil {
		return true // its hold is about to be recorded, or it is about to be released
	}
	if since := facts.TimeOf(rec.HeldSince); !since.After(f.Now) && f.Now.Before(since.Add(ledger.SettleTime)) {
		return true
	}
	return rule.Apply(f, book, ro, rec).Start != ""
}

// passesUntil is until when the statuses of the releases can wait, since they tell of nothing but one rollout whose workloads
// its backup released a moment ago; zero where they cannot. Should the operator be killed before they are written, or a workload
// be edited, the workloads and their ReplicaSets tell the same.
func (out *Decision) passesUntil(f *facts.Facts, book *records.Book) time.Time {
	if len(out.Statuses) != 1 || out.WriteAhead || len(out.Starts)+len(out.Relabel)+len(out.Touch)+len(out.Clean) > 0 {
		return time.Time{}
	}
	var rolling []records.Rollout
	for ro := range book.Rollouts() {
		if records.IsOpen(ro.Rollout) {
			rolling = append(rolling, ro)
		}
	}
	if len(rolling) != 1 {
		return time.Time{}
	}
	ro := rolling[0]
	if ro.AdmittedTime == nil || records.Numbered(&ro.Of.Status, ro.Number).AdmittedTime != nil {
		return time.Time{}
	}
	return admittedSince(f, ro).Add(passTime)
}

// admittedSince is when the last workload of a rollout was released by its backup; zero where one started otherwise, or was not
// released within passTime.
func admittedSince(f *facts.Facts, ro records.Rollout) time.Time {
	var last time.Time
	for i := range ro.Workloads {
		rec := &ro.Workloads[i]
		m := f.MemberOf(rec)
		if m == nil || rec.StartReason != v1alpha1.StartBackupCompleted {
			return time.Time{}
		}
		a := running.AdmittedIn(f, ro, rec, m)
		if a == nil || a.Time.After(f.Now) || f.Now.Sub(a.Time) > passTime {
			return time.Time{}
		}
		last = facts.Later(last, a.Time)
	}
	return last
}
