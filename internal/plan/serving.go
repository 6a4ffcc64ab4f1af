// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"github.com/backstay-dr/backstay/internal/drift"
	"github.com/backstay-dr/backstay/internal/workload"
)

// servingVersions are the versions that serve, of each workload that the plan selects.
func (d *decider) servingVersions() []drift.Version {
	var out []drift.Version
	for _, m := range d.sorted {
		if m.Selected {
			out = append(out, d.serving(m))
		}
	}
	return out
}

// serving is the version of a workload that serves: the one that was last admitted, unless only pods of others are ready, as
// when a rollout fails. Where no pod is ready it is the one that was last admitted.
func (d *decider) serving(m *Member) drift.Version {
	rev, other := d.servesInstead(m)
	if !other {
		return d.running(m)
	}
	if v, known := d.previousOf(m, rev.Name); known {
		return v
	}
	return d.artifacts.Resolve(rev.Template, nil)
}

// servesInstead finds the newest revision with ready pods where the one that was last admitted has none.
func (d *decider) servesInstead(m *Member) (newest workload.Revision, found bool) {
	admitted := m.Template.Hash
	if m.Paused {
		let, _ := d.lastLetThrough(m)
		admitted = let.hash
	}
	for _, rev := range m.Revisions {
		switch {
		case rev.Ready == 0:
		case rev.Template.Hash == admitted:
			return workload.Revision{}, false
		case !found || newest.Created.Before(&rev.Created):
			newest, found = rev, true
		}
	}
	return newest, found
}

// previousOf is the version of a revision as a rollout that is open recorded it when it replaced that revision: the labels of
// the workload, which may have told it, speak of the new one by now.
func (d *decider) previousOf(m *Member, revision string) (drift.Version, bool) {
	for ro := range d.courses() {
		if rec := recordOf(ro.Rollout, m); open(ro.Rollout) && rec != nil && rec.PreviousRevision == revision && rec.PreviousVersion != "" {
			return drift.Version{Value: rec.PreviousVersion}, true
		}
	}
	return drift.Version{}, false
}
