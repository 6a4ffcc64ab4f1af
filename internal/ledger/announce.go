// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/rule"
)

// Announce opens the rollouts of the releases that are about to roll out, so that their backups are taken ahead.
func Announce(f *facts.Facts, book *records.Book) {
	if f.Mode() == v1alpha1.GateModeDisabled {
		return
	}
	for _, r := range book.Primaries() {
		if !records.Announces(r) {
			continue
		}
		r.Wanted.AnnouncedGeneration = r.Generation
		if !announced(f, book, r) {
			openRollout(f, book, r, v1alpha1.CauseAhead)
		}
	}
}

// announced reports whether a rollout is open that satisfies an announcement: one whose backup was taken ahead does so for as
// long as a rollout that begins now could rely on it.
func announced(f *facts.Facts, book *records.Book, r *records.Release) bool {
	newest, exists := r.Newest()
	if !exists || !records.IsOpen(newest.Rollout) {
		return false
	}
	return !records.IsAhead(newest.Rollout) || rule.Serves(f, book, newest)
}
