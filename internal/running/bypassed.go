// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package running

import (
	"slices"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/workload"
)

// Bypassed lists the revisions of a workload that have pods and that nobody is known to have admitted, the newest first. Of
// what ran when the plan first saw the workload nothing is known, but for what it started over other pods.
func Bypassed(f *facts.Facts, book *records.Book, m *facts.Member) []workload.Revision {
	revisions := m.Revisions
	if f.FirstSeen(m) {
		revisions = StartedOver(f, book, m)
	}
	found := slices.DeleteFunc(slices.Clone(revisions), func(rev workload.Revision) bool {
		return rev.Pods == 0 || explained(f, book, m, rev.Template.Hash) || f.RanBefore(m, rev.Template.Hash) || reportedSince(f, book, m, &rev)
	})
	slices.SortFunc(found, func(a, b workload.Revision) int { return b.Created.Compare(a.Created.Time) })
	return slices.CompactFunc(found, func(a, b workload.Revision) bool { return a.Template.Hash == b.Template.Hash })
}

// StartedOver lists the revisions that a workload started over pods which were there before it: it adopted ReplicaSets that are
// older than itself, of another template. One that is created again after `kubectl delete --cascade=orphan` does that, and
// creation is not held. The ReplicaSets tell it where the plan remembers nothing of the workload that was deleted: of another name,
// for example. Where the workload is older than the plan, the plan begins from it. A restore creates all ReplicaSets, in the second of their Deployment
// or before. Where none is older, one that came in the same second is, unless it is that of the template that is asked for.
func StartedOver(f *facts.Facts, book *records.Book, m *facts.Member) []workload.Revision {
	if f.Plan == nil || m.Created.Before(&f.Plan.CreationTimestamp) {
		return nil
	}
	_, byVelero := m.Labels[velerov1.RestoreNameLabel]
	older := func(rev workload.Revision) bool {
		return rev.Created.Before(&m.Created) || byVelero && rev.Created.Equal(&m.Created)
	}
	if !slices.ContainsFunc(m.Revisions, older) {
		older = func(rev workload.Revision) bool {
			return rev.Created.Equal(&m.Created) && rev.Template.Hash != m.Template.Hash
		}
	}
	adopted := map[string]bool{}
	for _, rev := range m.Revisions {
		if older(rev) {
			adopted[rev.Template.Hash] = true
		}
	}
	if len(adopted) == 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(m.Revisions), func(rev workload.Revision) bool {
		return adopted[rev.Template.Hash] || explained(f, book, m, rev.Template.Hash)
	})
}

// EscapedAtFirst reports whether a workload that the plan sees for the first time escaped, which is not recorded yet: until it is,
// nothing is remembered of the workload.
func EscapedAtFirst(f *facts.Facts, book *records.Book, m *facts.Member) bool {
	_, known := LastAdmitted(f, book, m)
	return !known && f.Mode() != v1alpha1.GateModeDisabled && m.Driver && f.FirstSeen(m) && len(StartedOver(f, book, m)) > 0
}
