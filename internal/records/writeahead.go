// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package records

import (
	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/workload"
)

// RecordsMore reports whether a status holds a rollout, a held workload or a backup that the stored one does not: what
// must be written before anything is done because of it.
func RecordsMore(stored, wanted *v1alpha1.AppReleaseStatus) bool {
	old := factsOf(stored)
	for fact := range factsOf(wanted) {
		if !old[fact] {
			return true
		}
	}
	return false
}

type fact struct {
	number     int32
	backup     string
	key        workload.Key
	uid        string
	hash       string
	held       bool
	overridden bool
	escaped    bool // started, and nobody let it
}

func factsOf(s *v1alpha1.AppReleaseStatus) map[fact]bool {
	out := map[fact]bool{}
	for i := range s.Rollouts {
		ro := &s.Rollouts[i]
		out[fact{number: ro.Number}] = true
		if ro.Backup != nil {
			out[fact{number: ro.Number, backup: ro.Backup.Name}] = true
		}
		for j := range ro.Workloads {
			rec := &ro.Workloads[j]
			f := fact{
				number: ro.Number, key: facts.KeyOf(rec), uid: rec.UID, hash: rec.TemplateHash,
				overridden: rec.Override != nil, escaped: rec.StartReason == v1alpha1.StartNotHeld,
			}
			out[f] = true
			if f.held = rec.State == v1alpha1.WorkloadHeld; f.held {
				out[f] = true
			}
		}
	}
	return out
}
