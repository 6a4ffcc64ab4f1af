// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package running

import (
	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/workload"
)

// AdmittedLast reports whether the template that a workload asks for is the one that was last admitted, and nothing that is
// recorded started after that: by another plan, or by this one whose record is gone. An admission from before says nothing of a
// template that came back by another way.
func AdmittedLast(f *facts.Facts, book *records.Book, m *facts.Member) bool {
	if !m.Admitted.Of(m.Template.Hash) || !f.Credible(m.Admitted) {
		return false
	}
	last, recorded := book.LastStart(m)
	return !recorded || m.Admitted.Generation+1 >= last.Generation
}

// AdmittedIn is how the operator admitted a workload in a rollout, if it did.
func AdmittedIn(f *facts.Facts, ro records.Rollout, rec *v1alpha1.RolloutWorkload, m *facts.Member) *workload.Admission {
	a := facts.Admission(m, rec.TemplateHash)
	if a == nil || a.Plan != f.Name || a.Release != ro.Of.Name || a.Rollout != ro.Number {
		return nil
	}
	return a
}
