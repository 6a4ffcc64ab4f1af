// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/velero"
)

// startMargin is by how much a backup must have been created after the last start of anything else of the plan: one
// second is lost to timestamps in whole seconds, two allow for the clocks of the operator and of the API server.
const startMargin = 3 * time.Second

// createMargin is when a backup is created after such a start, so that it satisfies startMargin.
const createMargin = startMargin + time.Second

// mayStart is the release rule: whether a held workload may start now, and why. Without a Completed backup that
// nothing has changed under, it is the plan that must allow it: by its mode, or by its deadline. (A revert starts
// nothing new and needs no rule; an override has happened already when the operator sees it.)
func (d *decider) mayStart(ro *v1alpha1.Rollout, rec *v1alpha1.RolloutWorkload) (v1alpha1.StartReason, bool) {
	switch {
	case d.mode() != v1alpha1.GateModeHold:
		return v1alpha1.StartModeChanged, true
	case d.backupAllows(ro, rec):
		return v1alpha1.StartBackupCompleted, true
	case d.plan.Spec.Gate.OnDeadline == v1alpha1.DeadlineRelease && d.pastDeadline(rec):
		return v1alpha1.StartDeadlinePassed, true
	default:
		return "", false
	}
}

// backupAllows says whether the rollout's backup is Completed and may be relied on by this workload.
func (d *decider) backupAllows(ro *v1alpha1.Rollout, rec *v1alpha1.RolloutWorkload) bool {
	if ro.Backup == nil {
		return false
	}
	b := d.in.Backups[ro.Backup.Name]
	return b != nil && velero.StateOf(b) == velero.Completed && !d.void(ro, b) && d.fresh(b, rec)
}

// void says whether something else of the plan started since the backup was created: it may not hold the state that
// the rollout would destroy.
func (d *decider) void(ro *v1alpha1.Rollout, b *velerov1.Backup) bool {
	last := d.lastOtherStart(ro)
	return !last.IsZero() && b.CreationTimestamp.Time.Before(last.Add(startMargin))
}

// fresh says whether a backup that was taken before the workload was held is within the recovery point objective.
func (d *decider) fresh(b *velerov1.Backup, rec *v1alpha1.RolloutWorkload) bool {
	began := b.CreationTimestamp.Time
	if b.Status.StartTimestamp != nil {
		began = b.Status.StartTimestamp.Time
	}
	if rec.HeldSince == nil {
		return true
	}
	return rec.HeldSince.Sub(began) <= seconds(d.plan.Spec.Objectives.RecoveryPointSeconds)
}

// lastOtherStart is when anything of the plan last started, the rollout's own workloads excepted.
func (d *decider) lastOtherStart(ro *v1alpha1.Rollout) time.Time {
	var last time.Time
	var version string
	for _, r := range d.releases {
		for i := range r.status.Rollouts {
			other := &r.status.Rollouts[i]
			if other == ro {
				version = r.Spec.Version
				continue
			}
			if other.ReleasedTime != nil && other.ReleasedTime.After(last) {
				last = other.ReleasedTime.Time
			}
		}
	}
	if s := d.plan.Status.LastStart; s != nil && (s.Version != version || s.Rollout != ro.Number) && s.Time.After(last) {
		last = s.Time.Time
	}
	return last
}

func (d *decider) pastDeadline(rec *v1alpha1.RolloutWorkload) bool {
	return rec.HeldSince != nil && !d.in.Now.Before(d.deadline(rec))
}

func (d *decider) deadline(rec *v1alpha1.RolloutWorkload) time.Time {
	return rec.HeldSince.Add(seconds(d.plan.Spec.Gate.DeadlineSeconds))
}

func seconds(n int32) time.Duration { return time.Duration(n) * time.Second }
