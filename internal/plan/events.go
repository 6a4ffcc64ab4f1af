// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/workload"
)

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
		old := rollout(from, ro.Number)
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
	if readyReason(to) != v1alpha1.ReasonBackupFailed || readyReason(from) == v1alpha1.ReasonBackupFailed {
		return nil
	}
	return []Event{{
		Warning: true, Plan: true, Reason: "BackupStalled", Action: "BackUp",
		Note: fmt.Sprintf("the rollout of %s waits for a backup that keeps failing: see the message of AppRelease %s", r.Spec.Version, r.Name),
	}}
}

func readyReason(s *v1alpha1.AppReleaseStatus) string {
	if ready := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionReady); ready != nil {
		return ready.Reason
	}
	return ""
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
	case ro.Backup.Phase == phaseWithdrawn:
		out = append(out, Event{
			Reason: "BackupWithdrawn", Action: "BackUp",
			Note: fmt.Sprintf("backup %s is deleted before Velero began it: nobody waits for it any more", ro.Backup.Name),
		})
	case backupFailed(ro):
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
		if e.Reason == "" || e.Reason == startEvent(old, record(old, rec)).Reason {
			continue
		}
		text := e.Note
		if !told[e.Reason] {
			told[e.Reason] = true
			e.Note = fmt.Sprintf("the rollout of %s %s", r.Spec.Version, text)
			out = append(out, e)
		}
		e.Workload, e.Note = keyOf(rec), fmt.Sprintf("the rollout to %s %s: see AppRelease %s", r.Spec.Version, text, r.Name)
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

func rollout(s *v1alpha1.AppReleaseStatus, number int32) *v1alpha1.Rollout {
	for i := range s.Rollouts {
		if s.Rollouts[i].Number == number {
			return &s.Rollouts[i]
		}
	}
	return &v1alpha1.Rollout{}
}

func record(ro *v1alpha1.Rollout, like *v1alpha1.RolloutWorkload) *v1alpha1.RolloutWorkload {
	for i := range ro.Workloads {
		if keyOf(&ro.Workloads[i]) == keyOf(like) {
			return &ro.Workloads[i]
		}
	}
	return &v1alpha1.RolloutWorkload{}
}

// EndedBackups lists the backups that ended between two statuses of a release, with how: Completed, or the phase in which
// they failed.
func EndedBackups(from, to *v1alpha1.AppReleaseStatus) []v1alpha1.RolloutBackup {
	var out []v1alpha1.RolloutBackup
	for i := range to.Rollouts {
		ro := &to.Rollouts[i]
		if !hasBackup(ro) || !over(ro.Backup.Phase) {
			continue
		}
		if old := rollout(from, ro.Number).Backup; old == nil || old.Name != ro.Backup.Name || old.Phase != ro.Backup.Phase {
			out = append(out, *ro.Backup)
		}
	}
	return out
}

// BackupOutcomes are the phases in which a backup ends, as EndedBackups tells them.
func BackupOutcomes() []string {
	return []string{
		string(velerov1.BackupPhaseCompleted), string(velerov1.BackupPhasePartiallyFailed), string(velerov1.BackupPhaseFailed),
		string(velerov1.BackupPhaseFailedValidation), string(velerov1.BackupPhaseDeleting), phaseLost, phaseTooSlow,
	}
}
