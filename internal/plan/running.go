// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/drift"
	"github.com/backstay-dr/backstay/internal/workload"
)

// letThrough is the template of a workload that was last allowed to start. It is taken from what was recorded and not
// from the order of the ReplicaSets: the Deployment controller renumbers the ReplicaSet of an older template as soon as
// somebody asks for that template, held or not.
type letThrough struct {
	hash    string
	version drift.Version

	// settled says that nothing is known of a rollout of it that did not end.
	settled bool

	// replaced says that a rollout of it is known to have ended.
	replaced bool

	// bypassed says that nobody admitted it: some pods of it run, by whatever way, beside what the workload asked for.
	bypassed bool
}

// lastLetThrough finds the template of a workload that was last allowed to start: in the releases, or in what the plan
// remembers, whichever is newer. It is false where neither knows.
func (d *decider) lastLetThrough(m *Member) (letThrough, bool) {
	last, recorded := d.history().last[identityOf(m)]
	seen := d.seenBefore(m)
	remembered := seen != nil && seen.TemplateHash != ""
	switch {
	case recorded && (last.generation >= m.Generation || !remembered || !d.remembersMore(seen, last)):
		if remembered && seen.TemplateHash == last.hash && seen.Version != "" {
			last.version = versionSeen(seen) // a release may have named its image since
		}
		return letThrough{hash: last.hash, version: last.version, settled: last.settled, replaced: last.rolledOut, bypassed: last.bypassed}, true
	case remembered:
		return letThrough{hash: seen.TemplateHash, version: versionSeen(seen), settled: true}, true
	default:
		return letThrough{}, false
	}
}

// versionSeen is the version that a workload was last seen to run.
func versionSeen(seen *v1alpha1.PlanWorkload) drift.Version {
	return drift.Version{Value: seen.Version, Source: seen.VersionSource}
}

// remembersMore reports whether the plan knows of a start of a workload that is later than the last one in the releases:
// its release was deleted, or the gate was Disabled. What the plan remembers includes every start up to its lastStart.
func (d *decider) remembersMore(seen *v1alpha1.PlanWorkload, last started) bool {
	known := d.plan.Status.LastStart
	return seen.TemplateHash != last.hash && known != nil && known.Time.After(last.at)
}

// reverted reports whether a held workload asks for the template that runs: then nothing new starts. Both the records and
// the ReplicaSets must say that it runs, since something else may have started while no operator looked. And another
// template must have been seen held: one that looks as what runs and is held all the same may differ in a field that
// this version of Backstay does not know.
func (d *decider) reverted(m *Member) bool {
	let, known := d.lastLetThrough(m)
	if !known || !m.Held() || m.Override != nil || let.hash != m.Template.Hash || !runs(m, let.hash) {
		return false
	}
	return (d.heldAnother(m) || d.startedHeld(m)) && !d.runsAnother(m, let)
}

// runsAnother reports whether another template than the one that was let through may have started since.
func (d *decider) runsAnother(m *Member, let letThrough) bool {
	current, _ := m.Revision(let.hash)
	return slices.ContainsFunc(m.Revisions, func(rev workload.Revision) bool {
		switch {
		case rev.Template.Hash == let.hash:
			return false
		case m.Active() == 0:
			return true // scaled to none: which of them ran last is not to be seen
		case rev.Replicas == 0:
			return false
		case let.replaced, let.bypassed:
			return true // what was let through had replaced everything, or never was to replace it
		default:
			return rev.Created.After(current.Created.Time) && !d.explained(m, rev.Template.Hash)
		}
	})
}

// startedHeld reports whether what a workload is held with started under the hold, and is still to be let go.
func (d *decider) startedHeld(m *Member) bool {
	last, recorded := d.history().last[identityOf(m)]
	return recorded && last.underHold && last.hash == m.Template.Hash
}

// heldAnother reports whether another template of a workload was held.
func (d *decider) heldAnother(m *Member) bool {
	for _, rec := range d.heldRecords(m) {
		if rec.TemplateHash != m.Template.Hash && workload.Comparable(rec.TemplateHash, d.scheme) {
			return true
		}
	}
	return false
}

// runs reports whether a template runs, as far as the ReplicaSets tell: it is the one that has pods, or was when the
// workload was scaled to none. Where there are no ReplicaSets they tell nothing.
func runs(m *Member, hash string) bool {
	rev, exists := m.Revision(hash)
	if !exists {
		return len(m.Revisions) == 0
	}
	return rev.Replicas > 0 || m.Active() == 0
}

// soleRevision is the one revision of a workload that has pods.
func soleRevision(m *Member) (workload.Revision, bool) {
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

// running is the version that runs of a workload, whatever is held over it.
func (d *decider) running(m *Member) drift.Version {
	let, known := d.lastLetThrough(m)
	switch known = known && runs(m, let.hash); {
	case !m.Paused || known && let.hash == m.Template.Hash:
		return d.versionOf(m)
	case known:
		return let.version
	}
	if r, ok := soleRevision(m); ok {
		// The labels of the workload speak of the template that is held, not of this one.
		return d.artifacts.Resolve(r.Template, nil)
	}
	return drift.Version{}
}

// previousRevision names the revision that runs of a workload: what a restore puts back.
func (d *decider) previousRevision(m *Member) string {
	if let, known := d.lastLetThrough(m); known && let.hash != m.Template.Hash && (!m.Paused || runs(m, let.hash)) {
		if r, ok := m.Revision(let.hash); ok {
			return r.Name
		}
	}
	if r, ok := soleRevision(m); ok && r.Template.Hash != m.Template.Hash {
		return r.Name
	}
	return ""
}

// captured is the version that a backup which begins now captures: "" where several run, or a rollout is in flight.
func (d *decider) captured() string {
	for _, m := range d.sorted {
		if m.Selected && d.inFlight(m) {
			return ""
		}
	}
	running := d.runningVersions()
	if slices.ContainsFunc(running, func(v drift.Version) bool { return v.Value == "" }) {
		return ""
	}
	if distinct := drift.Distinct(running); len(distinct) == 1 {
		return distinct[0]
	}
	return ""
}

// inFlight reports whether a workload is, or may be, on its way from one template to another. A restart is no such way.
func (d *decider) inFlight(m *Member) bool {
	let, known := d.lastLetThrough(m)
	if known && !let.settled || !m.Paused && !runs(m, m.Template.Hash) {
		return true
	}
	active := map[string]bool{}
	for i := range m.Revisions {
		if rev := &m.Revisions[i]; rev.Replicas > 0 {
			active[rev.Template.Hash] = true
		}
	}
	return len(active) > 1
}

// previousVersions tells in one text what ran before what starts now, or is held.
func (d *decider) previousVersions() string {
	var versions []drift.Version
	for _, m := range d.sorted {
		if m.Selected {
			versions = append(versions, d.previous(m))
		}
	}
	return drift.Summary(drift.Distinct(versions))
}

// previous is the version that ran of a workload before the template that it asks for.
func (d *decider) previous(m *Member) drift.Version {
	if let, known := d.lastLetThrough(m); known && !m.Paused && let.hash != m.Template.Hash {
		return let.version
	}
	return d.running(m)
}

func (d *decider) runningVersions() []drift.Version {
	var out []drift.Version
	for _, m := range d.sorted {
		if m.Selected {
			out = append(out, d.running(m))
		}
	}
	return out
}
