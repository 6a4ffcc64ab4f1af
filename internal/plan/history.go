// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"time"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/drift"
	"github.com/backstay-dr/backstay/internal/workload"
)

// history is what the releases tell of the starts of each workload.
type history struct {
	// last start of each workload.
	last map[identity]started

	// started are the templates of each workload that ever started.
	started map[revision]bool
}

// identity tells a workload from one of the same name that was deleted.
type identity struct {
	key workload.Key
	uid string
}

// revision is a template of a workload.
type revision struct {
	identity
	hash string
}

// started is one start of a workload.
type started struct {
	hash       string
	version    drift.Version
	generation int64
	at         time.Time
	settled    bool
	rolledOut  bool
	bypassed   bool

	// underHold: it started though it was held, and is rolling out.
	underHold bool
}

func identityOf(m *Member) identity { return identity{m.Key, string(m.UID)} }

func revisionOf(m *Member, hash string) revision { return revision{identityOf(m), hash} }

// history reads the records once, until one of them changes.
func (d *decider) history() *history {
	if d.past != nil {
		return d.past
	}
	records := 0
	for _, r := range d.releases {
		for i := range r.status.Rollouts {
			records += len(r.status.Rollouts[i].Workloads)
		}
	}
	d.past = &history{last: make(map[identity]started, len(d.members)), started: make(map[revision]bool, records)}
	for _, r := range d.releases {
		for i := range r.status.Rollouts {
			ro := &r.status.Rollouts[i]
			for j := range ro.Workloads {
				d.addStart(r, ro, &ro.Workloads[j])
			}
		}
	}
	return d.past
}

// addStart adds the start of a workload, if it started. Where several are recorded of one generation, since something bypassed
// the gate, the last one is that of the template that the workload asks for.
func (d *decider) addStart(r *release, ro *v1alpha1.Rollout, rec *v1alpha1.RolloutWorkload) {
	if rec.StartReason == "" || !workload.Comparable(rec.TemplateHash, d.scheme) {
		return
	}
	id := identity{keyOf(rec), rec.UID}
	s := started{
		hash:       rec.TemplateHash,
		version:    drift.Version{Value: r.Spec.Version, Source: rec.VersionSource},
		generation: rec.AdmittedGeneration,
		settled:    rec.State == v1alpha1.WorkloadRolledOut || rec.State == v1alpha1.WorkloadAbandoned,
		rolledOut:  rec.State == v1alpha1.WorkloadRolledOut,
		bypassed:   rec.StartReason == v1alpha1.StartNotHeld,
		underHold:  rec.State == v1alpha1.WorkloadAdmitted && rec.StartReason == v1alpha1.StartNotHeld && rec.HeldSince != nil,
	}
	if ro.AdmittedTime != nil {
		s.at = ro.AdmittedTime.Time
	}
	d.past.started[revision{id, rec.TemplateHash}] = true
	m := d.members[id.key]
	asked := m != nil && m.Template.Hash == s.hash
	if last, known := d.past.last[id]; !known || last.generation < s.generation || last.generation == s.generation && asked {
		d.past.last[id] = s
	}
}

// recordsChanged makes the next question read the records again.
func (d *decider) recordsChanged() { d.past = nil }
