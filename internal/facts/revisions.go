// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package facts

import (
	"cmp"
	"slices"
	"time"

	"github.com/backstay-dr/backstay/internal/workload"
)

// HasStarted reports whether the template that a workload asks for has started: it has, unless a user paused it before.
func HasStarted(m *Member) bool {
	rev, _ := m.Revision(m.Template.Hash)
	return !m.Paused || rev.Replicas > 0
}

// NewestFirst are the revisions of a workload: those with pods, then the others, the newest first.
func NewestFirst(m *Member) []workload.Revision {
	return slices.SortedFunc(slices.Values(m.Revisions), func(a, b workload.Revision) int {
		return cmp.Or(cmp.Compare(min(b.Pods, 1), min(a.Pods, 1)), b.Created.Compare(a.Created.Time), cmp.Compare(a.Name, b.Name))
	})
}

// RanLast is the revision of a workload that nothing is recorded of which ran last, as far as its ReplicaSets tell: what it asks
// for if that has pods, else the newest that has some; of one that is scaled to none what it asks for if that ever ran, else the
// newest.
func RanLast(m *Member) (workload.Revision, bool) {
	asked, exists := m.Revision(m.Template.Hash)
	if exists && asked.Pods > 0 && !m.Held() {
		return asked, true
	}
	revisions := NewestFirst(m)
	for _, rev := range revisions {
		if rev.Pods > 0 {
			return rev, true
		}
	}
	if exists && !m.Held() {
		return asked, true
	}
	if len(revisions) == 0 {
		return workload.Revision{}, false
	}
	return revisions[0], true
}

// FirstCreated is when a template first started, as far as the ReplicaSets go back. A restart makes another one.
func FirstCreated(m *Member, hash string) time.Time {
	var first time.Time
	for i := range m.Revisions {
		rev := &m.Revisions[i]
		if rev.Template.Hash == hash && (first.IsZero() || rev.Created.Time.Before(first)) {
			first = rev.Created.Time
		}
	}
	return first
}

// Runs reports whether a template runs, as far as the ReplicaSets tell: it is the one that has pods, or was when the
// workload was scaled to none. Where there are no ReplicaSets they tell nothing.
func Runs(m *Member, hash string) bool {
	rev, exists := m.Revision(hash)
	if !exists {
		return len(m.Revisions) == 0
	}
	return rev.Replicas > 0 || m.Active() == 0
}

// SoleRevision is the one revision of a workload that has pods.
func SoleRevision(m *Member) (workload.Revision, bool) {
	if m.Active() != 1 {
		return workload.Revision{}, false
	}
	for _, r := range m.Revisions {
		if r.Replicas > 0 {
			return r, true
		}
	}
	return workload.Revision{}, false
}
