// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"slices"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/velero"
)

const (
	// retryPause is the pause after the first attempt that failed; it doubles with each, up to maxRetryPause. Storage that
	// was away for a minute costs a minute, and storage that stays away costs four backups an hour.
	retryPause    = 10 * time.Second
	maxRetryPause = 15 * time.Minute

	// maxAttempts is how many attempts are counted: more than any plan asks for, and more than it takes to reach
	// maxRetryPause.
	maxAttempts = 50

	// maxRetryRequest is how much of a request to retry is remembered.
	maxRetryRequest = 64
)

// pauseAfter is the pause after so many attempts that failed.
func pauseAfter(failures int) time.Duration {
	pause := retryPause
	for range failures - 1 {
		if pause *= 2; pause >= maxRetryPause {
			return maxRetryPause
		}
	}
	return pause
}

// scheduleRetry records when the next attempt follows on one that failed just now.
func (d *decider) scheduleRetry(ro course) {
	due := metav1.NewTime(ro.Backup.FailureTime.Add(pauseAfter(d.failures(ro))))
	ro.Backup.RetryTime = &due
}

// retry reports whether the next attempt is due. While the storage location has a problem there is nothing to pause for:
// the attempt follows as soon as that is gone.
func (d *decider) retry(ro course) bool {
	if d.in.LocationProblem != "" {
		ro.Backup.RetryTime = nil
	}
	if due := ro.Backup.RetryTime; due != nil && d.in.Now.Before(due.Time) {
		d.wake(due.Time)
		return false
	}
	return true
}

// retryOnRequest drops the pause of a release whose annotation asks for that, once for each value.
func (d *decider) retryOnRequest() {
	for _, r := range d.primaries() {
		request := []rune(r.Annotations[v1alpha1.AnnotationRetryRequestedAt])
		asked := string(request[:min(len(request), maxRetryRequest)])
		if asked == "" || asked == r.status.LastHandledRetryAt {
			continue
		}
		r.status.LastHandledRetryAt = asked
		for i := range r.status.Rollouts {
			if ro := &r.status.Rollouts[i]; open(ro) && backupFailed(ro) {
				ro.Backup.RetryTime = nil
			}
		}
	}
}

// callsAPerson reports whether so many attempts failed that a person should look. Attempts go on.
func (d *decider) callsAPerson(ro course) bool {
	if ro.Backup == nil || over(ro.Backup.Phase) && !backupFailed(ro.Rollout) {
		return false
	}
	return int32(d.failures(ro)) >= d.plan.Spec.Gate.BackupAttempts
}

// failures counts the attempts that failed. One that was Completed and could not be relied on any more is none, and neither is one
// whose Backup is gone: it may have been withdrawn.
func (d *decider) failures(ro course) int {
	n := 0
	if backupFailed(ro.Rollout) {
		n++
	}
	for attempt := int32(1); attempt < min(ro.Backup.Attempt, maxAttempts); attempt++ {
		if b := d.in.Backups[d.backupID(ro, attempt).Name()]; b != nil && velero.StateOf(b) == velero.Failed {
			n++
		}
	}
	return n
}

// stillToBackUp reports whether what started without a backup is still to be backed up. After as many failures as a person
// is called for, that goes on only where the gate was to hold it, and for as long as nothing else has backed it up.
func (d *decider) stillToBackUp(ro course) bool {
	if !startedUnheld(ro.Rollout) || d.mode() == v1alpha1.GateModeDisabled {
		return false
	}
	if ro.Backup == nil || backupUnderWay(ro.Rollout) {
		return true
	}
	return backupFailed(ro.Rollout) && (!d.callsAPerson(ro) || d.unprotectedEscape(ro) && allRolledOut(ro.Rollout))
}

// allRolledOut reports whether every workload of a rollout ended in it, and one of them runs its version.
func allRolledOut(ro *v1alpha1.Rollout) bool {
	return len(ro.Workloads) > 0 && outcome(ro) == v1alpha1.OutcomeRolledOut &&
		!slices.ContainsFunc(ro.Workloads, func(rec v1alpha1.RolloutWorkload) bool { return !ended(&rec) })
}

// failureState says what follows after an attempt that failed. Tenants read it: it has phases and counts, and none of
// Velero's text, which names the storage and other locations.
func (d *decider) failureState(ro course, b *velerov1.Backup) wait {
	latest := fmt.Sprintf("backup %s is %s", ro.Backup.Name, ro.Backup.Phase)
	switch {
	case ro.Backup.Phase == phaseTooSlow:
		latest = fmt.Sprintf("backup %s took longer than the recovery point objective of %s, and so will the next: "+
			"raise spec.objectives.recoveryPointSeconds of the plan", ro.Backup.Name, d.objective())
	case b != nil:
		latest += counted(velero.FailureCounts(b))
	}
	next := "now"
	if due := ro.Backup.RetryTime; due != nil && d.in.Now.Before(due.Time) {
		next = "at " + due.UTC().Format(stamp)
	}
	message := fmt.Sprintf("%s; the next attempt follows %s. %s", latest, next, d.retryHint(ro))
	if d.callsAPerson(ro) {
		return wait{v1alpha1.ReasonBackupFailed, d.keepsFailing(ro) + message}
	}
	return wait{v1alpha1.ReasonBackupRetrying, message}
}

func counted(counts string) string {
	if counts == "" {
		return ""
	}
	return " (" + counts + ")"
}

// keepsFailing is how a message begins that calls a person.
func (d *decider) keepsFailing(ro course) string {
	return fmt.Sprintf("the backup keeps failing, in attempt %d by now: fix the cause, which an event on the Backup in Velero's namespace tells; ",
		ro.Backup.Attempt)
}

// retryHint is how to have another attempt at once.
func (d *decider) retryHint(ro course) string {
	return fmt.Sprintf(`To retry at once: kubectl -n %s annotate --overwrite apprelease %s %s="$(date +%%s)"`,
		d.in.Namespace, ro.of.Name, v1alpha1.AnnotationRetryRequestedAt)
}

// afterFailures is how a backup under way stands after so many that failed that a person was called: the call stands until
// one is Completed.
func (d *decider) afterFailures(ro course, w wait) wait {
	switch w.reason {
	case v1alpha1.ReasonBackupPending, v1alpha1.ReasonBackupQueued, v1alpha1.ReasonBackupInProgress:
		if d.callsAPerson(ro) {
			return wait{v1alpha1.ReasonBackupFailed, d.keepsFailing(ro) + w.message}
		}
	}
	return w
}
