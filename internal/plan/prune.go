// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/velero"
)

const (
	// defaultHistoryLimit is that of a plan that was stored before it had one.
	defaultHistoryLimit = 20

	// maxPruned is how many releases one decision deletes: their end leads to the next.
	maxPruned = 20
)

// prune deletes the releases beyond the plan's limit, those first of which nothing has happened for the longest. Their Backups
// stay, and say themselves what they captured. What was still to be written of one goes with it: only its end leads to the next
// decision.
func (d *decider) prune() {
	limit := int(cmp.Or(d.plan.Spec.ReleaseHistoryLimit, defaultHistoryLimit))
	excess := min(len(d.in.Releases)-limit, maxPruned)
	if excess <= 0 {
		return
	}
	oldestFirst := slices.SortedStableFunc(slices.Values(d.releases), func(a, b *release) int {
		return lastTouched(a).Compare(lastTouched(b).Time)
	})
	inUse := d.versionsInUse()
	for _, r := range oldestFirst[:len(oldestFirst)-1] {
		if len(d.out.Prune) == excess {
			return
		}
		if !r.fresh && !d.keeps(r, inUse) {
			d.out.Prune = append(d.out.Prune, r.AppRelease)
			delete(d.out.Statuses, r.Name)
		}
	}
}

// lastTouched is when something last happened to a release.
func lastTouched(r *release) *metav1.Time {
	last := r.CreationTimestamp
	for i := range r.status.Rollouts {
		ro := &r.status.Rollouts[i]
		for _, at := range []*metav1.Time{&ro.OpenedTime, ro.AdmittedTime, ro.CompletionTime} {
			if at != nil && last.Before(at) {
				last = *at
			}
		}
	}
	return &last
}

// versionsInUse are the versions that serve, that were last admitted, that are held, or that the plan was written for.
func (d *decider) versionsInUse() map[string]bool {
	inUse := map[string]bool{d.plan.Spec.Version: true}
	for _, m := range d.sorted {
		inUse[d.running(m).Value], inUse[d.serving(m).Value], inUse[d.versionOf(m).Value] = true, true, true
	}
	delete(inUse, "")
	return inUse
}

// keeps reports whether a release is not pruned, however old it is: since somebody else manages it and would create it again,
// since something of it goes on, or since a version in use rests on it. A duplicate is none of that by its version.
func (d *decider) keeps(r *release, inUse map[string]bool) bool {
	_, managed := r.Annotations[AnnotationManaged]
	switch {
	case managed, !r.DeletionTimestamp.IsZero():
		return true
	case r.duplicate:
		return false
	case inUse[r.Spec.Version], announces(r):
		return true
	case r.Spec.Version == d.plan.Status.Versions.Protected, r.Spec.Version == d.plan.Status.Versions.Proven:
		return true
	}
	return slices.ContainsFunc(r.status.Rollouts, func(ro v1alpha1.Rollout) bool {
		return open(&ro) && (!ahead(&ro) || d.serves(course{&ro, r})) || d.explains(&ro) || d.protectsUsed(&ro, inUse)
	})
}

// AnnotationManaged marks an AppRelease that GitOps manages, or that belongs to another object. It means something in the
// operator's cache only; whoever sets it on an object keeps that from being pruned.
const AnnotationManaged = v1alpha1.GroupName + "/managed"

// protectsUsed reports whether the backup of a rollout protects a version in use, or proves it.
func (d *decider) protectsUsed(ro *v1alpha1.Rollout, inUse map[string]bool) bool {
	if ro.Backup == nil {
		return false
	}
	if p := d.plan.Status.ProtectingBackup; p != nil && p.Name == ro.Backup.Name || slices.Contains(d.out.Relabel, ro.Backup.Name) {
		return true
	}
	b := d.in.Backups[ro.Backup.Name]
	return b != nil && velero.StateOf(b) != velero.Failed && inUse[b.Annotations[v1alpha1.AnnotationVersion]]
}

// explains reports whether a rollout records the last start of a workload that exists, or of a revision of it that has pods.
func (d *decider) explains(ro *v1alpha1.Rollout) bool {
	return slices.ContainsFunc(ro.Workloads, func(rec v1alpha1.RolloutWorkload) bool {
		m := d.members[keyOf(&rec)]
		if m == nil || string(m.UID) != rec.UID || rec.StartReason == "" {
			return false
		}
		last, recorded := d.history().last[identityOf(m)]
		rev, exists := m.Revision(rec.TemplateHash)
		return recorded && last.generation <= rec.AdmittedGeneration || exists && rev.Pods > 0
	})
}
