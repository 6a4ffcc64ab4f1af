// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package rule

import (
	"fmt"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/backup"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/velero"
)

// failureState says what follows after an attempt that failed. Tenants read it: it has phases and counts, and none of
// Velero's text, which names the storage and other locations.
func failureState(f *facts.Facts, ro records.Rollout, b *velerov1.Backup) Wait {
	latest := fmt.Sprintf("backup %s is %s", ro.Backup.Name, ro.Backup.Phase)
	switch {
	case ro.Backup.Phase == records.PhaseTooSlow:
		latest = fmt.Sprintf("backup %s took longer than the recovery point objective of %s, and so will the next: "+
			"raise spec.objectives.recoveryPointSeconds of the plan", ro.Backup.Name, f.Objective())
	case b != nil:
		latest += counted(velero.FailureCounts(b))
	}
	next := "now"
	if due := ro.Backup.RetryTime; due != nil && f.Now.Before(due.Time) {
		next = "at " + due.UTC().Format(Stamp)
	}
	message := fmt.Sprintf("%s; the next attempt follows %s. %s", latest, next, retryHint(f, ro))
	if backup.CallsAPerson(f, ro) {
		return Wait{Reason: v1alpha1.ReasonBackupFailed, Message: keepsFailing(ro) + message}
	}
	return Wait{Reason: v1alpha1.ReasonBackupRetrying, Message: message}
}

func counted(counts string) string {
	if counts == "" {
		return ""
	}
	return " (" + counts + ")"
}

// keepsFailing is how a message begins that calls a person.
func keepsFailing(ro records.Rollout) string {
	return fmt.Sprintf("the backup keeps failing, in attempt %d by now: fix the cause, which an event on the Backup in Velero's namespace tells; ",
		ro.Backup.Attempt)
}

// retryHint is how to have another attempt at once.
func retryHint(f *facts.Facts, ro records.Rollout) string {
	return fmt.Sprintf(`To retry at once: kubectl -n %s annotate --overwrite apprelease %s %s="$(date +%%s)"`,
		f.Namespace, ro.Of.Name, v1alpha1.AnnotationRetryRequestedAt)
}

// afterFailures is how a backup under way stands after so many that failed that a person was called: the call stands until
// one is Completed.
func afterFailures(f *facts.Facts, ro records.Rollout, w Wait) Wait {
	switch w.Reason {
	case v1alpha1.ReasonBackupPending, v1alpha1.ReasonBackupQueued, v1alpha1.ReasonBackupInProgress:
		if backup.CallsAPerson(f, ro) {
			return Wait{Reason: v1alpha1.ReasonBackupFailed, Message: keepsFailing(ro) + w.Message}
		}
	}
	return w
}
