// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"fmt"
	"slices"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/backup"
	"github.com/backstay-dr/backstay/internal/drift"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/running"
	"github.com/backstay-dr/backstay/internal/velero"
)

// ensureRelease finds the release of a version, or makes it.
func ensureRelease(f *facts.Facts, book *records.Book, v drift.Version) *records.Release {
	for _, r := range book.Releases {
		if !r.Duplicate && r.Spec.Version == v.Value {
			return r
		}
	}
	obj := &v1alpha1.AppRelease{}
	obj.Namespace, obj.Name = f.Namespace, freeName(book, velero.ReleaseName(f.Name, v.Value))
	obj.Spec = v1alpha1.AppReleaseSpec{Plan: f.Name, Version: v.Value, Intent: v1alpha1.IntentRecord}
	r := &records.Release{AppRelease: obj, Wanted: &v1alpha1.AppReleaseStatus{}, Fresh: true}
	book.Releases = append(book.Releases, r)
	return r
}

// freeName is a name that no release of the plan has. One of another plan may have it: whoever creates the release sees that.
func freeName(book *records.Book, name string) string {
	free := name
	for n := 2; slices.ContainsFunc(book.Releases, func(r *records.Release) bool { return r.Name == free }); n++ {
		free = fmt.Sprintf("%s-%d", name, n)
	}
	return free
}

// openRollout begins a rollout, with a number above that of any before it and of any backup that exists. A release whose
// record was lost, since it was deleted and created again, goes on with the newest backup that exists for it.
func openRollout(f *facts.Facts, book *records.Book, r *records.Release, cause v1alpha1.RolloutCause) records.Rollout {
	newest, number := backup.Newest(f, r)
	ro := v1alpha1.Rollout{Number: number + 1, Cause: cause, PreviousVersion: running.PreviousVersions(f, book), OpenedTime: f.At}
	for i := range r.Wanted.Rollouts {
		ro.Number = max(ro.Number, r.Wanted.Rollouts[i].Number+1)
	}
	if newest != nil && len(r.Wanted.Rollouts) == 0 {
		resume(f, book, records.Rollout{Rollout: &ro, Of: r}, newest, number)
	}
	return book.Open(r, ro)
}
