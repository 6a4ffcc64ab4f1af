// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"maps"
	"slices"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/backup"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/running"
	"github.com/backstay-dr/backstay/internal/velero"
	"github.com/backstay-dr/backstay/internal/workload"
)

// Relabel finds the backups that claim to have captured a version while something else started: a backup that waited
// in Velero's queue when its rollout was overridden captures what came after. They protect no version.
func Relabel(f *facts.Facts, book *records.Book, withdrawn []*velerov1.Backup) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(f.Backups)) {
		b := f.Backups[name]
		if b.Annotations[v1alpha1.AnnotationVersion] == "" || velero.StateOf(b) == velero.Failed || slices.Contains(withdrawn, b) {
			continue
		}
		if book.DisownsVersion(name) || disturbed(f, book, b) || overtaken(f, book, b) {
			out = append(out, name)
			book.ForgetVersion(name)
		}
	}
	return out
}

// overtaken reports whether a backup that is not over claims another version than the one that runs: its release may be
// gone, and with it the record of what it waited for.
func overtaken(f *facts.Facts, book *records.Book, b *velerov1.Backup) bool {
	return velero.StateOf(b) == velero.Waiting && b.Annotations[v1alpha1.AnnotationVersion] != running.Captured(f, book)
}

// disturbed reports whether anything started between the creation of a backup and its end, but for what the backup itself
// allowed.
func disturbed(f *facts.Facts, book *records.Book, b *velerov1.Backup) bool {
	if s := f.Plan.Status.LastStart; s != nil && s.Rollout == 0 && backup.During(b, s.Time) {
		return true
	}
	for _, r := range book.Releases {
		for i := range r.Wanted.Rollouts {
			ro := &r.Wanted.Rollouts[i]
			if ro.AdmittedTime != nil && backup.During(b, *ro.AdmittedTime) && !records.AllowedBy(ro, b) {
				return true
			}
		}
	}
	return slices.ContainsFunc(f.Sorted, func(m *facts.Member) bool { return m.Selected && unseenDuring(f, book, b, m) })
}

// unseenDuring reports whether the ReplicaSets of a workload tell of a start of another version during a backup that nobody
// recorded.
func unseenDuring(f *facts.Facts, book *records.Book, b *velerov1.Backup, m *facts.Member) bool {
	return slices.ContainsFunc(m.Revisions, func(rev workload.Revision) bool {
		hash := rev.Template.Hash
		if !backup.During(b, rev.Created) || !rev.Created.Time.Equal(facts.FirstCreated(m, hash)) {
			return false
		}
		if a := rev.Admitted; a != nil && !workload.Comparable(a.Template, f.Scheme) {
			return false // of what, cannot be told
		}
		if a := facts.Admission(m, hash); a != nil && a.Backup == b.Name {
			return false // it was admitted by this backup, which was over then
		}
		return !running.Remembered(f, book, m, hash) && !book.Allows(b, m, hash) &&
			f.Artifacts.Resolve(rev.Template, nil).Value != b.Annotations[v1alpha1.AnnotationVersion]
	})
}
