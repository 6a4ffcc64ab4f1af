// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package running

import (
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
)

// Restored reports whether a workload came into being as it is held: nothing but a restore does that. What the backup holds is
// the change that was held, and whoever restores wants the state before it: that is for a person to put back. Where it was
// scaled since, it is Velero's label on a workload that nobody has seen before, or what the plan remembers, that tells.
func Restored(f *facts.Facts, book *records.Book, m *facts.Member) bool {
	if !m.Held() {
		return false
	}
	if sole, runs := facts.SoleRevision(m); runs && sole.Template.Hash == m.Template.Hash {
		return false // it runs: a StatefulSet that is created as it is held starts all the same
	}
	if m.Generation <= 1 {
		return true
	}
	if h := f.HeldBefore(m); h != nil && h.Reason == v1alpha1.ReasonRestored {
		return h.TemplateHash == m.Template.Hash
	}
	_, byVelero := m.Labels[velerov1.RestoreNameLabel]
	return byVelero && f.At.Sub(m.Created.Time) < restoreTime && neverSeen(f, book, m)
}

// restoreTime is for how long after it was created a workload may be one that was just restored. Velero's label stays for good.
const restoreTime = 24 * time.Hour

// neverSeen reports whether neither the plan nor a release knows of a workload.
func neverSeen(f *facts.Facts, book *records.Book, m *facts.Member) bool {
	for ro := range book.Rollouts() {
		for i := range ro.Workloads {
			if rec := &ro.Workloads[i]; facts.KeyOf(rec) == m.Key && rec.UID == string(m.UID) {
				return false
			}
		}
	}
	return f.Plan == nil || f.FirstSeen(m)
}
