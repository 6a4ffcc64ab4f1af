// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/backup"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
)

// maxRetryRequest is how much of a request to retry is remembered.
const maxRetryRequest = 64

// scheduleRetry records when the next attempt follows on one that failed just now.
func scheduleRetry(f *facts.Facts, ro records.Rollout) {
	due := metav1.NewTime(ro.Backup.FailureTime.Add(backup.PauseAfter(backup.Failures(f, ro))))
	ro.Backup.RetryTime = &due
}

// retryTime is when the next attempt is due; zero where it is. While the storage location has a problem there is nothing to pause for:
// the attempt follows as soon as that is gone.
func retryTime(f *facts.Facts, ro records.Rollout) time.Time {
	if f.LocationProblem != "" {
		ro.Backup.RetryTime = nil
	}
	if due := ro.Backup.RetryTime; due != nil && f.Now.Before(due.Time) {
		return due.Time
	}
	return time.Time{}
}

// retryOnRequest drops the pause of a release whose annotation asks for that, once for each value.
func retryOnRequest(book *records.Book) {
	for _, r := range book.Primaries() {
		request := []rune(r.Annotations[v1alpha1.AnnotationRetryRequestedAt])
		asked := string(request[:min(len(request), maxRetryRequest)])
		if asked == "" || asked == r.Wanted.LastHandledRetryAt {
			continue
		}
		r.Wanted.LastHandledRetryAt = asked
		for i := range r.Wanted.Rollouts {
			if ro := &r.Wanted.Rollouts[i]; records.IsOpen(ro) && records.BackupFailed(ro) {
				ro.Backup.RetryTime = nil
			}
		}
	}
}
