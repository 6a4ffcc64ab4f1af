// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"time"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// MaxUnderWay is how many backups of one namespace are under way at a time, whatever its plans: Velero takes its backups in
// turn, for everybody.
const MaxUnderWay = 4

// askAgain is when a rollout that waits for the others of its namespace looks again at the latest. The end of a backup wakes
// it; two that end in the same moment may not.
const askAgain = time.Minute

// waitForShare reports whether a rollout waits since it is not this plan's turn: all its workloads are managed by other plans and back
// them up, or too many backups of the namespace are under way.
func (d *decider) waitForShare(ro course) (wait, bool) {
	if ahead(ro.Rollout) && d.movesNothing() {
		return wait{v1alpha1.ReasonOverlappingPlans, "all its workloads are managed by other plans, which back them up: " +
			"announce the rollout on a release of one of those"}, true
	}
	if n := d.backupsUnderWay(ro); n >= MaxUnderWay {
		d.wake(d.in.Now.Add(askAgain))
		return wait{v1alpha1.ReasonWaitingForRollout, fmt.Sprintf("%d backups of this namespace are under way, and at most %d may be", n, MaxUnderWay)}, true
	}
	return wait{}, false
}

// movesNothing reports whether the plan selects workloads, and other plans move all of them.
func (d *decider) movesNothing() bool {
	selects := false
	for _, m := range d.members {
		if m.Selected && m.Driver {
			return false
		}
		selects = selects || m.Selected
	}
	return selects
}

// backupsUnderWay counts the backups under way of the namespace, but for that of a rollout.
func (d *decider) backupsUnderWay(ro course) int {
	names := map[string]bool{}
	for name := range d.urgencies(ro) {
		names[name] = true
	}
	for name := range d.in.UnderWay {
		if own := ro.Backup != nil && ro.Backup.Name == name; !own && !d.withdrawn(name) {
			names[name] = true
		}
	}
	return len(names)
}
