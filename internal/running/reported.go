// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package running

import (
	"slices"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/workload"
)

// reportedSince reports whether so many escapes of the version of a revision, of that workload, were recorded after the revision was
// created that its own may have been forgotten. A release remembers a bounded number of rollouts: without this, somebody who lets a
// workload adopt more ReplicaSets than that would have them recorded, and backed up, in turn and for ever.
func reportedSince(f *facts.Facts, book *records.Book, m *facts.Member, rev *workload.Revision) bool {
	version, reported := f.Artifacts.Resolve(rev.Template, nil).Value, 0
	for ro := range book.Rollouts() {
		if ro.Of.Spec.Version != version || ro.AdmittedTime == nil || ro.AdmittedTime.Add(facts.StartMargin).Before(rev.Created.Time) {
			continue
		}
		if slices.ContainsFunc(ro.Workloads, func(rec v1alpha1.RolloutWorkload) bool {
			return facts.KeyOf(&rec) == m.Key && rec.UID == string(m.UID) && rec.StartReason == v1alpha1.StartNotHeld
		}) {
			reported++
		}
	}
	return reported >= records.MaxRollouts-1
}
