// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/workload"
)

// deadlineTransitions are the events of the workloads whose deadline passed since an older status: on each of them, and once
// on the release.
func deadlineTransitions(r *v1alpha1.AppRelease, old, ro *v1alpha1.Rollout) []Event {
	return workloadEvents(old, ro, records.Overdue, Event{
		Warning: true, Plan: true, Reason: v1alpha1.ReasonDeadlinePassed, Action: "Hold",
		Note: fmt.Sprintf("the rollout of %s is held beyond its deadline: see the message of AppRelease %s", r.Spec.Version, r.Name),
	})
}

// Event is a transition that is worth telling people.
type Event struct {
	// Workload that it is about; none for the release as a whole.
	Workload workload.Key

	// Warning says that a person should look.
	Warning bool

	// Reason and Action as events.k8s.io knows them; Note for people.
	Reason string
	Action string
	Note   string

	// Plan says that an event of the release is told on its plan too.
	Plan bool
}

// Transitions tells what happened to a release between two statuses.
func Transitions(r *v1alpha1.AppRelease, from, to *v1alpha1.AppReleaseStatus) []Event {
	var out []Event
	for i := range to.Rollouts {
		ro := &to.Rollouts[i]
		old := records.Numbered(from, ro.Number)
		out = append(out, backupTransitions(r, old, ro)...)
		out = append(out, workloadTransitions(r, old, ro)...)
		out = append(out, failureTransitions(r, old, ro)...)
		out = append(out, deadlineTransitions(r, old, ro)...)
		if ro.Outcome != "" && old.Outcome == "" {
			out = append(out, Event{
				Reason: string(ro.Outcome), Action: "Rollout", Note: verdictEnded(ro).message,
			})
		}
	}
	return append(out, calls(r, from, to)...)
}

// calls are the events by which a person is called: once each, and again only after it was over.
func calls(r *v1alpha1.AppRelease, from, to *v1alpha1.AppReleaseStatus) []Event {
	if records.ReadyReason(to) != v1alpha1.ReasonBackupFailed || records.ReadyReason(from) == v1alpha1.ReasonBackupFailed {
		return nil
	}
	return []Event{{
		Warning: true, Plan: true, Reason: "BackupStalled", Action: "BackUp",
		Note: fmt.Sprintf("the rollout of %s waits for a backup that keeps failing: see the message of AppRelease %s", r.Spec.Version, r.Name),
	}}
}

func backupTransitions(r *v1alpha1.AppRelease, old, ro *v1alpha1.Rollout) []Event {
	if ro.Backup == nil {
		return nil
	}
	var out []Event
	if old.Backup == nil || old.Backup.Name != ro.Backup.Name {
		out = append(out, Event{
			Reason: "BackupCreated", Action: "BackUp",
			Note: fmt.Sprintf("backup %s before the rollout of %s (attempt %d)", ro.Backup.Name, r.Spec.Version, ro.Backup.Attempt),
		})
	}
	if same := old.Backup != nil && old.Backup.Name == ro.Backup.Name && old.Backup.Phase == ro.Backup.Phase; same {
		return out
	}
	switch {
	case ro.Backup.Phase == string(velerov1.BackupPhaseCompleted):
		out = append(out, Event{Reason: "BackupCompleted", Action: "BackUp", Note: fmt.Sprintf("backup %s is Completed", ro.Backup.Name)})
	case ro.Backup.Phase == records.PhaseWithdrawn:
		out = append(out, Event{
			Reason: "BackupWithdrawn", Action: "BackUp",
			Note: fmt.Sprintf("backup %s is deleted before Velero began it: nobody waits for it any more", ro.Backup.Name),
		})
	case records.BackupFailed(ro):
		out = append(out, Event{
			Warning: true, Plan: true, Reason: "BackupFailed", Action: "BackUp",
			Note: fmt.Sprintf("backup %s before the rollout of %s is %s (attempt %d)", ro.Backup.Name, r.Spec.Version, ro.Backup.Phase, ro.Backup.Attempt),
		})
	}
	return out
}

// workloadTransitions tells of each workload that was held, overridden or started unheld, and of the first of each sort on the
// release: events of one reason on one object are counted, and only the text of the first is kept.
func workloadTransitions(r *v1alpha1.AppRelease, old, ro *v1alpha1.Rollout) []Event {
	var out []Event
	told := map[string]bool{}
	for i := range old.Workloads {
		told[startEvent(old, &old.Workloads[i]).Reason] = true
	}
	for i := range ro.Workloads {
		rec := &ro.Workloads[i]
		e := startEvent(ro, rec)
		if e.Reason == "" || e.Reason == startEvent(old, records.Record(old, rec)).Reason {
			continue
		}
		text := e.Note
		if !told[e.Reason] {
			told[e.Reason] = true
			e.Note = fmt.Sprintf("the rollout of %s %s", r.Spec.Version, text)
			out = append(out, e)
		}
		e.Workload, e.Note = facts.KeyOf(rec), fmt.Sprintf("the rollout to %s %s: see AppRelease %s", r.Spec.Version, text, r.Name)
		out = append(out, e)
	}
	return out
}

// startEvent is what there is to tell of a workload's record: that it is held, or that it started and was not.
func startEvent(ro *v1alpha1.Rollout, rec *v1alpha1.RolloutWorkload) Event {
	switch {
	case rec.Override != nil:
		return Event{
			Warning: true, Plan: true, Reason: "Overridden", Action: "Override",
			Note: fmt.Sprintf("was overridden, without a backup, by %s: %s", rec.Override.User, rec.Override.Reason),
		}
	case rec.State == v1alpha1.WorkloadHeld && rec.StartReason == "":
		return Event{Plan: true, Reason: "Held", Action: "Hold", Note: "is held until its backup is Completed"}
	case rec.StartReason != v1alpha1.StartNotHeld:
		return Event{}
	case ro.Cause == v1alpha1.CauseObserved:
		return Event{Reason: "Observed", Action: "Rollout", Note: "is backed up, and not held"}
	default:
		return Event{Warning: true, Plan: true, Reason: "Escaped", Action: "Rollout", Note: "bypassed the gate; it is backed up now"}
	}
}

// failureTransitions are the events of the workloads whose rollout failed since an older status: on each of them, and once
// on the release.
func failureTransitions(r *v1alpha1.AppRelease, old, ro *v1alpha1.Rollout) []Event {
	return workloadEvents(old, ro, records.RolloutFailed, Event{
		Warning: true, Plan: true, Reason: v1alpha1.ReasonRolloutFailed, Action: "Rollout",
		Note: fmt.Sprintf("the rollout of %s made no progress within spec.progressDeadlineSeconds. %s: see the message of AppRelease %s",
			r.Spec.Version, stateBefore(ro), r.Name),
	})
}

// workloadEvents repeats an event for each workload of a rollout that is in some state and was not before, and tells it once
// of the release: when the first of them is.
func workloadEvents(old, ro *v1alpha1.Rollout, is func(*v1alpha1.RolloutWorkload) bool, e Event) []Event {
	var out []Event
	if records.NamesWhere(old, is) == "" && records.NamesWhere(ro, is) != "" {
		out = append(out, e)
	}
	for i := range ro.Workloads {
		if rec := &ro.Workloads[i]; is(rec) && !is(records.Record(old, rec)) {
			e.Workload = facts.KeyOf(rec)
			out = append(out, e)
		}
	}
	return out
}
