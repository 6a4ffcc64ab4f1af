// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package backup

import (
	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
)

// Needed reports whether a rollout is not done before a backup is.
func Needed(f *facts.Facts, ro *v1alpha1.Rollout) bool {
	return f.Mode() != v1alpha1.GateModeDisabled && (records.Holds(ro) || records.IsAhead(ro) || records.StartedUnheld(ro))
}

// WaitedFor reports whether a rollout is not done before that backup is.
func WaitedFor(f *facts.Facts, book *records.Book, backup string) bool {
	for ro := range book.Rollouts() {
		if f.Plan != nil && records.IsOpen(ro.Rollout) && ro.Backup != nil && ro.Backup.Name == backup && Needed(f, ro.Rollout) {
			return true
		}
	}
	return false
}
