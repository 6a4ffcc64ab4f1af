// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/rule"
)

// overdueText says what is held beyond its deadline, why, and how to end that; "" where nothing is.
func overdueText(f *facts.Facts, book *records.Book, held []v1alpha1.HeldWorkload) string {
	for ro := range book.Rollouts() {
		names := ""
		if records.IsOpen(ro.Rollout) {
			names = records.NamesWhere(ro.Rollout, records.Overdue)
		}
		first := firstHeld(f, ro.Rollout)
		if names == "" || first == nil {
			continue
		}
		text := fmt.Sprintf("%s: held beyond the deadline of %s, and until the backup is Completed", names, f.Deadline(first).UTC().Format(rule.Stamp))
		for i := range held {
			if h := &held[i]; h.Name == first.Name && h.Kind == first.Kind && h.Group == first.Group {
				text += fmt.Sprintf(" (%s)", h.Reason)
			}
		}
		return fmt.Sprintf("%s: see AppRelease %s. %s", text, ro.Of.Name, overrideHint(f, first.Kind, first.Name))
	}
	return ""
}
