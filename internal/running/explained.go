// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package running

import (
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
)

// explained reports whether it is known how a template of a workload came to run: a release or the plan tells it, or the
// operator admitted it, for this plan or another.
func explained(f *facts.Facts, book *records.Book, m *facts.Member, hash string) bool {
	return Remembered(f, book, m, hash) || f.Credible(facts.Admission(m, hash))
}

// Remembered reports whether a release or the plan tells that a template of a workload was admitted.
func Remembered(f *facts.Facts, book *records.Book, m *facts.Member, hash string) bool {
	seen := f.SeenBefore(m)
	return book.Started(m, hash) || seen != nil && seen.TemplateHash == hash
}
