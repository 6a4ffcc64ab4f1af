// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import "testing"

// The record of an override quotes its author.
func TestOverrideShowsNothingThatIsNotPrintable(t *testing.T) {
	if got := bounded("den\u202eied\u009b: \u200bno"); got != `den\u202eied\u009b: \u200bno` {
		t.Errorf("an override is shown as %q", got)
	}
}
