// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"slices"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/rule"
)

// BackedUp is what follows from the backups of a plan.
type BackedUp struct {
	// Create are the Backups to create.
	Create []*velerov1.Backup

	// Waits are what rollouts wait for that have no backup under way.
	Waits rule.Waits

	// Lost names Backups that are recorded as gone.
	Lost []string

	// Touch names Backups that Velero has forgotten.
	Touch []string

	// Until is when time alone changes any of that.
	Until time.Time
}

// create asks for a Backup. Two rollouts may ask for the same: one that was taken over.
func (out *BackedUp) create(b *velerov1.Backup) {
	if !slices.ContainsFunc(out.Create, func(other *velerov1.Backup) bool { return other.Name == b.Name }) {
		out.Create = append(out.Create, b)
	}
}

// wait notes what a rollout waits for.
func (out *BackedUp) wait(f *facts.Facts, ro records.Rollout, w rule.Wait) {
	out.Waits[ro.Rollout] = w
	out.Until = f.Sooner(out.Until, w.Until)
}
