// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package running finds out what runs of each workload of a plan and by what right, from the facts and the records together: what was
// admitted, what is being reverted, what bypassed the gate, which version serves.
package running

import (
	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/drift"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
)

// Admitted is the template of a workload that was last allowed to start. It is taken from what was recorded and not
// from the order of the ReplicaSets: the Deployment controller renumbers the ReplicaSet of an older template as soon as
// somebody asks for that template, held or not.
type Admitted struct {
	Hash    string
	Version drift.Version

	// Settled says that nothing is known of a rollout of it that did not end.
	Settled bool

	// Replaced says that a rollout of it is known to have ended.
	Replaced bool

	// Bypassed says that nobody admitted it: some pods of it run, by whatever way, beside what the workload asked for.
	Bypassed bool
}

// LastAdmitted finds the template of a workload that was last allowed to start: in the releases, or in what the plan
// remembers, whichever is newer. It is false where neither knows.
func LastAdmitted(f *facts.Facts, book *records.Book, m *facts.Member) (Admitted, bool) {
	last, recorded := book.LastStart(m)
	seen := f.SeenBefore(m)
	remembered := seen != nil && seen.TemplateHash != ""
	switch {
	case recorded && (last.Generation >= m.Generation || !remembered || !remembersMore(f, seen, last)):
		if remembered && seen.TemplateHash == last.Hash && seen.Version != "" {
			last.Version = facts.VersionSeen(seen) // a release may have named its image since
		}
		return Admitted{Hash: last.Hash, Version: last.Version, Settled: last.Settled, Replaced: last.RolledOut, Bypassed: last.Bypassed}, true
	case remembered:
		return Admitted{Hash: seen.TemplateHash, Version: facts.VersionSeen(seen), Settled: true}, true
	default:
		return Admitted{}, false
	}
}

// remembersMore reports whether the plan knows of a start of a workload that is later than the last one in the releases:
// its release was deleted, or the gate was Disabled. What the plan remembers includes every start up to its lastStart.
func remembersMore(f *facts.Facts, seen *v1alpha1.PlanWorkload, last records.Start) bool {
	known := f.Plan.Status.LastStart
	return seen.TemplateHash != last.Hash && known != nil && known.Time.After(last.At)
}
