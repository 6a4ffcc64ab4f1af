// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"strings"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/drift"
	"github.com/backstay-dr/backstay/internal/workload"
)

// letThrough is the template of a workload that was last allowed to start. It is taken from what was recorded and not
// from the ReplicaSets: the Deployment controller renumbers the ReplicaSet of an older template as soon as somebody
// asks for that template, held or not.
type letThrough struct {
	hash    string
	version drift.Version

	// settled says that nothing is known of a rollout of it that did not end.
	settled bool
}

// lastStarted finds the newest record of a workload that started.
func lastStarted(m *Member, statuses []*release) (*v1alpha1.RolloutWorkload, *release) {
	var last *v1alpha1.RolloutWorkload
	var owner *release
	for _, r := range statuses {
		for i := range r.status.Rollouts {
			for j := range r.status.Rollouts[i].Workloads {
				rec := &r.status.Rollouts[i].Workloads[j]
				if rec.StartReason == "" || keyOf(rec) != m.Key || rec.UID != string(m.UID) || !workload.ComparableHash(rec.TemplateHash) {
					continue
				}
				if last == nil || rec.ReleasedGeneration > last.ReleasedGeneration {
					last, owner = rec, r
				}
			}
		}
	}
	return last, owner
}

// lastLetThrough finds the template of a workload that was last allowed to start: in the releases, else in what the
// plan saw first. It is false where neither knows.
func (d *decider) lastLetThrough(m *Member) (letThrough, bool) {
	if rec, owner := lastStarted(m, d.releases); rec != nil {
		return letThrough{
			hash:    rec.TemplateHash,
			version: drift.Version{Value: owner.Spec.Version, Source: rec.VersionSource},
			settled: rec.State == v1alpha1.WorkloadRolledOut,
		}, true
	}
	if seen := planWorkload(d.plan, m); seen != nil && seen.TemplateHash != "" {
		return letThrough{
			hash:    seen.TemplateHash,
			version: drift.Version{Value: seen.Version, Source: seen.VersionSource},
			settled: true,
		}, true
	}
	return letThrough{}, false
}

// planWorkload is what the plan's status says of a member, where that can be compared.
func planWorkload(plan *v1alpha1.DRPlan, m *Member) *v1alpha1.PlanWorkload {
	for i := range plan.Status.Workloads {
		w := &plan.Status.Workloads[i]
		if w.Kind == m.Kind && w.Name == m.Name && w.UID == string(m.UID) && (w.TemplateHash == "" || workload.ComparableHash(w.TemplateHash)) {
			return w
		}
	}
	return nil
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
	if !m.Paused {
		return d.versionOf(m)
	}
	let, known := d.lastLetThrough(m)
	switch {
	case known && let.hash != m.Template.Hash:
		return let.version
	case known:
		return d.versionOf(m)
	}
	if r, ok := soleRevision(m); ok {
		// The labels of the workload speak of the template that is held, not of this one.
		return drift.Resolve(r.Template, nil, d.in.Releases)
	}
	return drift.Version{}
}

// previousRevision names the revision that runs of a workload: what a restore puts back.
func (d *decider) previousRevision(m *Member) string {
	if let, known := d.lastLetThrough(m); known && let.hash != m.Template.Hash {
		if r, ok := m.Revision(let.hash); ok {
			return r.Name
		}
	}
	if r, ok := soleRevision(m); ok {
		return r.Name
	}
	return ""
}

// captured is the version that a backup which begins now captures: "" where several run, or a rollout is in flight.
func (d *decider) captured() string {
	var versions []drift.Version
	for _, m := range d.sortedMembers() {
		if !m.Selected {
			continue
		}
		let, known := d.lastLetThrough(m)
		if m.Active() > 1 || (known && !let.settled) {
			return ""
		}
		versions = append(versions, d.running(m))
	}
	if distinct := drift.Distinct(versions); len(distinct) == 1 {
		return distinct[0]
	}
	return ""
}

// previousVersions tells what runs, in one text.
func (d *decider) previousVersions() string {
	var versions []drift.Version
	for _, m := range d.sortedMembers() {
		if m.Selected {
			versions = append(versions, d.running(m))
		}
	}
	return strings.TrimSpace(drift.Summary(drift.Distinct(versions)))
}
