// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/velero"
)

// phaseLost stands for the phase of a Backup that was there and is not any more.
const phaseLost = "Deleted"

// retryPause is the pause after the first attempt that failed; it doubles with each.
const retryPause = 10 * time.Second

// candidate is an open rollout that wants a backup.
type candidate struct {
	release *release
	rollout *v1alpha1.Rollout
}

// backUp brings what is known of the backups forward, and begins those that are wanted. The rollouts of a plan take
// their backups one after another: a start in between would void the others.
func (d *decider) backUp() {
	var wanting []candidate
	busy := ""
	for _, r := range d.primaries() {
		for i := range r.status.Rollouts {
			ro := &r.status.Rollouts[i]
			d.observeBackup(ro)
			if open(ro) && d.wantsBackup(ro) {
				wanting = append(wanting, candidate{r, ro})
			}
			if open(ro) && underWay(ro) && !d.outdated(ro) {
				busy = r.Name
			}
		}
	}
	slices.SortStableFunc(wanting, compareCandidates)
	for _, c := range wanting {
		if d.beginBackup(c, busy) {
			busy = c.release.Name
		}
	}
}

// wantsBackup says whether a rollout needs a backup that it does not have and that is not under way.
func (d *decider) wantsBackup(ro *v1alpha1.Rollout) bool {
	if d.mode() == v1alpha1.GateModeOff {
		return false
	}
	switch {
	case d.holds(ro):
		return ro.Backup == nil || failed(ro) || d.outdated(ro)
	case startedUnheld(ro), ro.Cause == v1alpha1.CauseAhead && len(ro.Workloads) == 0:
		return ro.Backup == nil || failed(ro)
	default:
		return false
	}
}

// outdated: the backup of a rollout that holds something cannot be relied on any more.
func (d *decider) outdated(ro *v1alpha1.Rollout) bool {
	if ro.Backup == nil || !d.holds(ro) {
		return false
	}
	b := d.in.Backups[ro.Backup.Name]
	if b == nil {
		return false
	}
	if d.void(ro, b) {
		return true
	}
	return slices.ContainsFunc(ro.Workloads, func(rec v1alpha1.RolloutWorkload) bool {
		return rec.State == v1alpha1.WorkloadHeld && !d.fresh(b, &rec)
	})
}

// holds says whether a rollout has workloads that wait for its backup.
func (d *decider) holds(ro *v1alpha1.Rollout) bool {
	return slices.ContainsFunc(ro.Workloads, func(rec v1alpha1.RolloutWorkload) bool { return rec.State == v1alpha1.WorkloadHeld })
}

// startedUnheld says whether something of a rollout started that nobody let go.
func startedUnheld(ro *v1alpha1.Rollout) bool {
	return slices.ContainsFunc(ro.Workloads, func(rec v1alpha1.RolloutWorkload) bool { return rec.StartReason == v1alpha1.StartNotHeld })
}

// beginBackup creates the backup of a rollout, or notes what it waits for. It tells whether one is under way then.
func (d *decider) beginBackup(c candidate, busy string) bool {
	ro, attempt := c.rollout, int32(1)
	if ro.Backup != nil {
		attempt = ro.Backup.Attempt + 1
		if failed(ro) && !d.retry(ro) {
			return false
		}
	}
	if !startedUnheld(ro) && busy != "" && busy != c.release.Name {
		d.waits[ro] = wait{v1alpha1.ReasonWaitingForRollout, fmt.Sprintf("release %s has its backup taken first", busy)}
		return false
	}
	if at := d.lastOtherStart(ro).Add(createMargin); !startedUnheld(ro) && d.in.Now.Before(at) {
		d.waits[ro] = wait{v1alpha1.ReasonBackupPending, "the backup begins a moment after the last start of a workload of this plan"}
		d.wake(at)
		return false
	}
	if d.in.LocationProblem != "" {
		d.waits[ro] = wait{v1alpha1.ReasonStorageLocationUnavailable, d.in.LocationProblem}
		return false
	}
	id := d.backupID(c.release, ro.Number, attempt)
	ro.Backup = &v1alpha1.RolloutBackup{Name: id.Name(), Attempt: attempt, Version: d.captured()}
	d.out.Backups = append(d.out.Backups, velero.NewBackup(d.plan, id, ro.Backup.Version))
	return true
}

// retry says whether the next attempt is due.
func (d *decider) retry(ro *v1alpha1.Rollout) bool {
	if exhausted(d.plan, ro) || ro.Backup.FailureTime == nil {
		return false
	}
	due := ro.Backup.FailureTime.Add(retryPause << min(ro.Backup.Attempt-1, 6))
	if d.in.Now.Before(due) {
		d.wake(due)
		return false
	}
	return true
}

// exhausted says whether every attempt that the plan allows has failed.
func exhausted(plan *v1alpha1.DRPlan, ro *v1alpha1.Rollout) bool {
	return failed(ro) && ro.Backup.Attempt >= plan.Spec.Gate.BackupAttempts
}

func (d *decider) backupID(r *release, number, attempt int32) velero.BackupID {
	return velero.BackupID{
		Namespace: d.in.Namespace, Plan: d.in.Name, Version: r.Spec.Version, Rollout: number, Attempt: attempt,
	}
}

// compareCandidates puts those first that hold something, then the oldest.
func compareCandidates(a, b candidate) int {
	rank := func(c candidate) int {
		if len(c.rollout.Workloads) > 0 {
			return 0
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(rank(a), rank(b)),
		a.rollout.StartTime.Compare(b.rollout.StartTime.Time),
		cmp.Compare(a.release.Name, b.release.Name),
	)
}

func compareRecords(a, b v1alpha1.RolloutWorkload) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
}
