// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/rule"
	"github.com/backstay-dr/backstay/internal/running"
	"github.com/backstay-dr/backstay/internal/velero"
)

// defaultHistoryLimit is that of a plan that was stored before it had one.
const defaultHistoryLimit = 20

// maxPruned is how many releases one decision deletes: their end leads to the next.
const maxPruned = 20

// prune deletes the releases beyond the plan's limit, those first of which nothing has happened for the longest. Their Backups
// stay, and say themselves what they captured. What was still to be written of one goes with it: only its end leads to the next
// decision.
func (out *Decision) prune(f *facts.Facts, book *records.Book) {
	limit := int(cmp.Or(f.Plan.Spec.ReleaseHistoryLimit, defaultHistoryLimit))
	excess := min(len(f.Releases)-limit, maxPruned)
	if excess <= 0 {
		return
	}
	oldestFirst := slices.SortedStableFunc(slices.Values(book.Releases), func(a, b *records.Release) int {
		return lastTouched(a).Compare(lastTouched(b).Time)
	})
	inUse := versionsInUse(f, book)
	for _, r := range oldestFirst[:len(oldestFirst)-1] {
		if len(out.Prune) == excess {
			return
		}
		if !r.Fresh && !out.keeps(f, book, r, inUse) {
			out.Prune = append(out.Prune, r.AppRelease)
			delete(out.Statuses, r.Name)
		}
	}
}

// lastTouched is when something last happened to a release.
func lastTouched(r *records.Release) *metav1.Time {
	last := r.CreationTimestamp
	for i := range r.Wanted.Rollouts {
		ro := &r.Wanted.Rollouts[i]
		for _, at := range []*metav1.Time{&ro.OpenedTime, ro.AdmittedTime, ro.CompletionTime} {
			if at != nil && last.Before(at) {
				last = *at
			}
		}
	}
	return &last
}

// versionsInUse are the versions that serve, that were last admitted, that are held, or that the plan was written for.
func versionsInUse(f *facts.Facts, book *records.Book) map[string]bool {
	inUse := map[string]bool{f.Plan.Spec.Version: true}
	for _, m := range f.Sorted {
		inUse[running.Version(f, book, m).Value], inUse[running.Serving(f, book, m).Value], inUse[f.VersionOf(m).Value] = true, true, true
	}
	delete(inUse, "")
	return inUse
}

// keeps reports whether a release is not pruned, however old it is: since somebody else manages it and would create it again,
// since something of it goes on, or since a version in use rests on it. A duplicate is none of that by its version.
func (out *Decision) keeps(f *facts.Facts, book *records.Book, r *records.Release, inUse map[string]bool) bool {
	_, managed := r.Annotations[AnnotationManaged]
	switch {
	case managed, !r.DeletionTimestamp.IsZero():
		return true
	case r.Duplicate:
		return false
	case inUse[r.Spec.Version], records.Announces(r):
		return true
	case r.Spec.Version == f.Plan.Status.Versions.Protected, r.Spec.Version == f.Plan.Status.Versions.Proven:
		return true
	}
	return slices.ContainsFunc(r.Wanted.Rollouts, func(ro v1alpha1.Rollout) bool {
		goesOn := records.IsOpen(&ro) && (!records.IsAhead(&ro) || rule.Serves(f, book, records.Rollout{Rollout: &ro, Of: r}))
		return goesOn || explains(f, book, &ro) || out.protectsUsed(f, &ro, inUse)
	})
}

// AnnotationManaged marks an AppRelease that GitOps manages, or that belongs to another object. It means something in the
// operator's cache only; whoever sets it on an object keeps that from being pruned.
const AnnotationManaged = v1alpha1.GroupName + "/managed"

// protectsUsed reports whether the backup of a rollout protects a version in use, or proves it.
func (out *Decision) protectsUsed(f *facts.Facts, ro *v1alpha1.Rollout, inUse map[string]bool) bool {
	if ro.Backup == nil {
		return false
	}
	if p := f.Plan.Status.ProtectingBackup; p != nil && p.Name == ro.Backup.Name || slices.Contains(out.Relabel, ro.Backup.Name) {
		return true
	}
	b := f.Backups[ro.Backup.Name]
	return b != nil && velero.StateOf(b) != velero.Failed && inUse[b.Annotations[v1alpha1.AnnotationVersion]]
}

// explains reports whether a rollout records the last start of a workload that exists, or of a revision of it that has pods.
func explains(f *facts.Facts, book *records.Book, ro *v1alpha1.Rollout) bool {
	return slices.ContainsFunc(ro.Workloads, func(rec v1alpha1.RolloutWorkload) bool {
		m := f.MemberOf(&rec)
		if m == nil || string(m.UID) != rec.UID || rec.StartReason == "" {
			return false
		}
		last, recorded := book.LastStart(m)
		rev, exists := m.Revision(rec.TemplateHash)
		return recorded && last.Generation <= rec.AdmittedGeneration || exists && rev.Pods > 0
	})
}
