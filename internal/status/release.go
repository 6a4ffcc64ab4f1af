// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/backup"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/rule"
)

// Report writes the conditions of every release.
func Report(f *facts.Facts, book *records.Book, waits rule.Waits) {
	for _, r := range book.Releases {
		if r.Duplicate {
			reportDuplicate(f, book, r)
			continue
		}
		newest, exists := r.Newest()
		if !exists || records.Announces(r) {
			setUnknown(f, r, verdictIdle(f, r), v1alpha1.ReasonNotStarted, "nothing of this release has rolled out")
			continue
		}
		setConditions(f, r, verdictOf(f, book, waits, newest), backedUpCondition(f, waits, newest), rolledOutCondition(f, newest))
	}
}

// ReportPlanNotFound writes the conditions of releases whose plan does not exist.
func ReportPlanNotFound(f *facts.Facts, book *records.Book) {
	reportUnfollowed(f, book, verdict{
		ready: metav1.ConditionFalse, reason: v1alpha1.ReasonPlanNotFound,
		message: fmt.Sprintf("there is no DRPlan %s in namespace %s: create it, or delete this release", f.Name, f.Namespace),
	})
}

// ReportTooManyWorkloads writes the conditions of the releases of a plan whose rollouts cannot be followed.
func ReportTooManyWorkloads(f *facts.Facts, book *records.Book) {
	reportUnfollowed(f, book, verdict{
		ready: metav1.ConditionFalse, reason: v1alpha1.ReasonTooManyWorkloads, stalled: true,
		message: fmt.Sprintf("DRPlan %s selects more than %d workloads, and no rollout of it is followed: split it", f.Name, v1alpha1.MaxWorkloads),
	})
}

func reportUnfollowed(f *facts.Facts, book *records.Book, v verdict) {
	for _, r := range book.Releases {
		setUnknown(f, r, v, v.reason, v.message)
	}
}

func reportDuplicate(f *facts.Facts, book *records.Book, r *records.Release) {
	v := verdict{ready: metav1.ConditionFalse, reason: v1alpha1.ReasonDuplicate, stalled: true}
	for _, first := range book.Primaries() {
		if first.Spec.Version != r.Spec.Version {
			continue
		}
		v.message = fmt.Sprintf("this one duplicates AppRelease %s, which is of version %s too, and does nothing: delete it. "+
			"To announce a rollout of that version: %s", first.Name, r.Spec.Version, announceHint(f, first))
	}
	setUnknown(f, r, v, v1alpha1.ReasonDuplicate, v.message)
}

// setUnknown writes the conditions of a release of which no rollout tells.
func setUnknown(f *facts.Facts, r *records.Release, v verdict, reason, message string) {
	unknown := metav1.Condition{Status: metav1.ConditionUnknown, Reason: reason, Message: message}
	setConditions(f, r, v, unknown, unknown)
}

// backedUpCondition is the BackedUp condition for the newest rollout.
func backedUpCondition(f *facts.Facts, waits rule.Waits, ro records.Rollout) metav1.Condition {
	switch {
	case records.PhaseOf(ro.Rollout) == string(velerov1.BackupPhaseCompleted) && !records.BackupFailed(ro.Rollout):
		captured := "several versions, or a rollout in flight: it protects none"
		if ro.Backup.Version != "" {
			captured = "version " + ro.Backup.Version
		}
		return metav1.Condition{
			Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonBackupCompleted,
			Message: fmt.Sprintf("backup %s is Completed and captured %s", ro.Backup.Name, captured),
		}
	case records.IsOpen(ro.Rollout) && backup.Needed(f, ro.Rollout):
		w := rule.BackupState(f, waits, ro)
		return metav1.Condition{Status: metav1.ConditionFalse, Reason: w.Reason, Message: w.Message}
	default:
		return metav1.Condition{
			Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonNotBackedUp, Message: "no backup of the state before this rollout was completed",
		}
	}
}

// rolledOutCondition is the RolledOut condition for the newest rollout.
func rolledOutCondition(f *facts.Facts, ro records.Rollout) metav1.Condition {
	c := metav1.Condition{Status: metav1.ConditionFalse}
	switch {
	case !records.IsOpen(ro.Rollout):
		ended := verdictEnded(ro.Rollout)
		c.Status, c.Reason, c.Message = ended.ready, ended.reason, ended.message
	case records.NamesWhere(ro.Rollout, records.RolloutFailed) != "":
		rolling := verdictFailed(f, ro)
		c.Reason, c.Message = rolling.reason, rolling.message
	case records.AllRolledOut(ro.Rollout):
		c.Status, c.Reason = metav1.ConditionTrue, v1alpha1.ReasonRolledOut
		c.Message = records.Names(ro.Rollout, v1alpha1.WorkloadRolledOut) + " rolled out" + unprotected(ro.Rollout)
	case records.Holds(ro.Rollout):
		c.Reason, c.Message = v1alpha1.ReasonHeld, records.Names(ro.Rollout, v1alpha1.WorkloadHeld)+": held until the backup is Completed"
	case len(ro.Workloads) == 0:
		c.Reason, c.Message = v1alpha1.ReasonNotStarted, "no workload has changed yet"
	default:
		rolling := verdictRolling(f, ro)
		c.Reason, c.Message = rolling.reason, rolling.message
	}
	return c
}
