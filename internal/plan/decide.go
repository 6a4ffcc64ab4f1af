// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package plan decides. From everything that can be observed of one plan, its workloads, releases and backups, it
// derives what to write: releases, backups, holds to release, and every status. It holds no state, reads no clock and
// talks to nobody, so that a decision can be made again at any time by anybody with the same result.
package plan

import (
	"cmp"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/gate"
	"github.com/backstay-dr/backstay/internal/ledger"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/status"
)

// Decide derives what to write from what is observed, and from what is known of the gate.
func Decide(in facts.Input, finding gate.Finding) Decision {
	f := facts.Of(in)
	book := records.Copy(f)
	out, until := steps(f, book)
	stored := book
	if out.writeReleases(book) {
		stored = records.Read(f)
	}
	if f.Plan != nil && !facts.TooMany(f.Members) && !f.Terminating {
		out.prune(f, book)
	}
	if at := out.passesUntil(f, book); f.Now.Before(at) {
		out.Statuses, until = nil, f.Sooner(until, at)
	}
	slices.SortFunc(out.Starts, func(a, b Start) int { return cmp.Compare(a.Workload.Name, b.Workload.Name) })
	if f.Plan != nil {
		until = f.Sooner(until, out.writePlan(f, stored, finding))
	}
	if !until.IsZero() {
		out.RequeueAfter = until.Sub(f.Now)
	}
	return out
}

// steps takes those that the plan allows, and returns when time alone changes what they come to.
func steps(f *facts.Facts, book *records.Book) (out Decision, until time.Time) {
	switch {
	case f.Terminating:
		return out, until
	case f.Plan == nil:
		out.Starts, out.Restored = releaseOrphans(f, book)
		ledger.Abandon(f, book)
		out.Withdraw = ledger.Withdraw(f, book)
		out.Clean = clean(f)
		status.ReportPlanNotFound(f, book)
		return out, until
	case facts.TooMany(f.Members):
		// Which of them belong together cannot be recorded. Plan and releases say so; what is held stays held.
		out.Starts = releaseUnheld(f, book)
		status.ReportTooManyWorkloads(f, book)
		return out, until
	default:
		return follow(f, book)
	}
}

// follow brings the records forward, and derives what they ask for.
func follow(f *facts.Facts, book *records.Book) (out Decision, until time.Time) {
	tracked := ledger.Track(f, book)
	out.Escapes = slices.Concat(tracked.Escapes, ledger.Discover(f, book))
	ledger.Adopt(f, book)
	ledger.Announce(f, book)

	out.Withdraw = ledger.Withdraw(f, book)
	backups := ledger.BackUp(f, book, out.Withdraw)
	out.Backups, out.Lost, out.Touch = backups.Create, backups.Lost, backups.Touch
	out.Fail = ledger.Failed(f, book)
	out.Relabel = ledger.Relabel(f, book, out.Withdraw)

	starts, deadline := startable(f, book)
	out.Starts = starts
	out.Clean = clean(f)
	out.Remark = tracked.Remark
	out.Remark = slices.Concat(out.Remark, out.takenOver(f, book))

	ledger.NoteFailures(f, book)
	ledger.NoteDeadlines(f, book)
	ledger.Close(f, book)
	status.Report(f, book, backups.Waits)
	explanations, later := out.unexplained(f, book)
	out.Explain = explanations
	return out, f.Sooner(f.Sooner(backups.Until, deadline), later)
}

// writeReleases collects what is to be written of the releases, and reports whether there is anything.
func (out *Decision) writeReleases(book *records.Book) bool {
	out.Statuses = map[string]*v1alpha1.AppReleaseStatus{}
	for _, r := range book.Releases {
		if r.Fresh {
			out.Create = append(out.Create, r.AppRelease)
		}
		records.Fit(r.Wanted)
		if !records.Same(&r.Status, r.Wanted) {
			out.Statuses[r.Name] = r.Wanted
			out.WriteAhead = out.WriteAhead || r.Fresh || records.RecordsMore(&r.Status, r.Wanted)
		}
	}
	return len(out.Create)+len(out.Statuses) > 0
}

// writePlan adds the status of the plan, where it differs from what is stored, and returns when it changes by itself.
func (out *Decision) writePlan(f *facts.Facts, stored *records.Book, finding gate.Finding) time.Time {
	until := f.Now.Add(finding.RetryAfter)
	if finding.Condition.Type == "" {
		return until // it is being found out
	}
	wanted, expires := status.Plan(f, stored, finding)
	until = f.Sooner(until, expires)
	if equality.Semantic.DeepEqual(f.Plan.Status, wanted) {
		return until
	}
	out.Plan, out.PlanSettles = &wanted, settles(f, stored)
	if out.PlanSettles {
		until = f.Sooner(until, f.Now.Add(ledger.SettleTime))
	}
	return until
}
