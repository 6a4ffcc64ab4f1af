// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package backup is what is known of the Backups of a plan by themselves: their names and attempts, their age, what is still
// waited for.
package backup

import (
	"cmp"
	"math"
	"strconv"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/velero"
)

// NextAttempt is the number of the next attempt, above that of any whose Backup exists.
func NextAttempt(f *facts.Facts, ro records.Rollout) int32 {
	attempt := int32(1)
	if ro.Backup != nil {
		attempt = max(ro.Backup.Attempt, 0) + 1
	}
	for f.Backups[ID(f, ro, attempt).Name()] != nil {
		attempt++
	}
	return attempt
}

// AttemptOf finds which attempt at the backup of a rollout a Backup is; the first where it is none.
func AttemptOf(f *facts.Facts, ro records.Rollout, b *velerov1.Backup) int32 {
	for attempt := int32(1); attempt <= maxAttempts; attempt++ {
		if ID(f, ro, attempt).Name() == b.Name {
			return attempt
		}
	}
	return 1
}

// ID tells the backups of a rollout apart.
func ID(f *facts.Facts, ro records.Rollout, attempt int32) velero.BackupID {
	return velero.BackupID{
		Cluster: f.Cluster, Namespace: f.Namespace, Plan: f.Name, Version: ro.Of.Spec.Version, Rollout: ro.Number, Attempt: attempt,
	}
}

// retryPause is the pause after the first attempt that failed; it doubles with each, up to maxRetryPause. Storage that
// was away for a minute costs a minute, and storage that stays away costs four backups an hour.
const (
	retryPause    = 10 * time.Second
	maxRetryPause = 15 * time.Minute
)

// maxAttempts is how many attempts are counted: more than any plan asks for, and more than it takes to reach
// maxRetryPause.
const maxAttempts = 50

// PauseAfter is the pause after so many attempts that failed.
func PauseAfter(failures int) time.Duration {
	pause := retryPause
	for range failures - 1 {
		if pause *= 2; pause >= maxRetryPause {
			return maxRetryPause
		}
	}
	return pause
}

// CallsAPerson reports whether so many attempts failed that a person should look. Attempts go on.
func CallsAPerson(f *facts.Facts, ro records.Rollout) bool {
	if ro.Backup == nil || records.Over(ro.Backup.Phase) && !records.BackupFailed(ro.Rollout) {
		return false
	}
	return int32(Failures(f, ro)) >= f.Plan.Spec.Gate.BackupAttempts
}

// Failures counts the attempts that failed. One that was Completed and could not be relied on any more is none, and neither is one
// whose Backup is gone: it may have been withdrawn.
func Failures(f *facts.Facts, ro records.Rollout) int {
	n := 0
	if records.BackupFailed(ro.Rollout) {
		n++
	}
	for attempt := int32(1); attempt < min(ro.Backup.Attempt, maxAttempts); attempt++ {
		if b := f.Backups[ID(f, ro, attempt).Name()]; b != nil && velero.StateOf(b) == velero.Failed {
			n++
		}
	}
	return n
}

// Newest finds the backup of a release with the highest rollout number, of several attempts the newest.
func Newest(f *facts.Facts, r *records.Release) (newest *velerov1.Backup, number int32) {
	for _, b := range f.Backups {
		n, err := strconv.ParseInt(b.Labels[v1alpha1.LabelRollout], 10, 32)
		if err != nil || n < 1 || n == math.MaxInt32 || b.Annotations[v1alpha1.AnnotationReleaseVersion] != r.Spec.Version {
			continue
		}
		if newest == nil || cmp.Or(
			cmp.Compare(int32(n), number), b.CreationTimestamp.Compare(newest.CreationTimestamp.Time), cmp.Compare(b.Name, newest.Name),
		) > 0 {
			newest, number = b, int32(n)
		}
	}
	return newest, number
}
