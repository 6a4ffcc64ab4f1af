// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// recordLastStart remembers the newest start, should its release be deleted.
func (d *decider) recordLastStart(s *v1alpha1.DRPlanStatus) {
	for _, r := range d.releases {
		for i := range r.status.Rollouts {
			ro := &r.status.Rollouts[i]
			if ro.AdmittedTime == nil || s.LastStart != nil && ro.AdmittedTime.Before(&s.LastStart.Time) {
				continue
			}
			next := v1alpha1.LastStart{Time: *ro.AdmittedTime, Version: r.Spec.Version, Rollout: ro.Number}
			if d.hides(ro, s.LastStart) {
				next.Rollout = 0
			}
			s.LastStart = &next
		}
	}
}

// pendingSince is since when a workload is seen held that no release records.
func (d *decider) pendingSince(m *Member) *metav1.Time {
	if h := d.heldBefore(m); h != nil && h.Since != nil {
		return h.Since
	}
	return &d.now
}

// hides reports whether a start of a rollout, which does not count for that rollout itself, would hide one that does: of a
// workload that no release tells of, after the rollout's backup was created.
func (d *decider) hides(ro *v1alpha1.Rollout, earlier *v1alpha1.LastStart) bool {
	if earlier == nil || earlier.Rollout != 0 {
		return false
	}
	if ro.Backup == nil {
		return true
	}
	b := d.in.Backups[ro.Backup.Name]
	return b == nil || d.voidSince(b, earlier.Time.Time)
}

// recordHeld lists what is held now, and what it waits for.
func (d *decider) recordHeld(s *v1alpha1.DRPlanStatus) {
	s.Held = nil
	for _, m := range d.sorted {
		if !m.Held() || !m.Selected {
			continue
		}
		h := v1alpha1.HeldWorkload{Group: m.Group, Kind: m.Kind, Name: m.Name, Version: d.versionOf(m).Value, Reason: v1alpha1.ReasonBackupPending}
		ro, rec := d.heldRecord(m)
		if rec == nil && m.Driver {
			h.Reason, h.Since = v1alpha1.ReasonNotRecorded, d.pendingSince(m)
		}
		if d.restored(m) {
			h.Reason, h.TemplateHash, h.Since = v1alpha1.ReasonRestored, m.Template.Hash, &m.Created
		}
		if rec != nil {
			h.Release, h.Since = ro.of.Name, waiting(rec)
			if h.Since != nil {
				until := metav1.NewTime(d.deadline(rec))
				h.Until = &until
			}
			if ready := meta.FindStatusCondition(ro.of.status.Conditions, v1alpha1.ConditionReady); ready != nil {
				h.Reason = ready.Reason
			}
		}
		s.Held = append(s.Held, h)
	}
	s.HeldCount = int32(len(s.Held))
	s.Held = s.Held[:min(len(s.Held), v1alpha1.MaxWorkloads)]
}
