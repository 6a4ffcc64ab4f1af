// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package telemetry tells people and monitoring what happened: events and metrics.
package telemetry

import (
	"fmt"
	"strings"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/plan"
	"github.com/backstay-dr/backstay/internal/printable"
	"github.com/backstay-dr/backstay/internal/status"
	"github.com/backstay-dr/backstay/internal/workload"
)

// Events writes events of events.k8s.io, each after the write that it reports.
type Events struct {
	Recorder events.EventRecorder
}

// Transitions tells what happened to a release, on the release, the plan and the workloads.
func (e Events) Transitions(in facts.Input, r *v1alpha1.AppRelease, list []status.Event) {
	members := map[workload.Key]*workload.View{}
	for i := range in.Members {
		members[in.Members[i].Key] = &in.Members[i].View
	}
	for _, event := range list {
		if event.Workload != (workload.Key{}) {
			if v := members[event.Workload]; v != nil {
				e.emit(reference(v), r, event)
			}
			continue
		}
		e.emit(r, nil, event)
		if event.Plan && in.Plan != nil {
			e.emit(in.Plan, r, event)
		}
	}
}

// Started tells on a workload that it was released, and why.
func (e Events) Started(s plan.Start) {
	note := map[string]string{
		string(v1alpha1.StartBackupCompleted): fmt.Sprintf("released: backup %s is Completed", s.Backup),
		string(v1alpha1.StartDeadlinePassed):  "released without a backup: the deadline of the plan has passed",
		string(v1alpha1.StartModeChanged):     "released without a backup: the plan's gate does not hold any more",
		plan.StartReverted:                    "released: its template is the one that was last admitted",
		plan.StartPlanDeleted:                 "released without a backup: the DRPlan that held it is gone",
	}[s.Reason]
	warning := s.Reason != string(v1alpha1.StartBackupCompleted) && s.Reason != plan.StartReverted
	e.emit(reference(&s.Workload), nil, status.Event{Warning: warning, Reason: "Admitted", Action: "Release", Note: note})
}

// NotStarted tells on a workload that admission refused its release, and why: it stays held until that is fixed.
func (e Events) NotStarted(s *plan.Start, err error) {
	e.emit(reference(&s.Workload), nil, status.Event{
		Warning: true, Reason: "AdmitRefused", Action: "Release", Note: fmt.Sprintf("cannot be released, and is tried again: %v", err),
	})
}

// Restored tells on a workload that it was restored as it was held, and that no plan is there to say so.
func (e Events) Restored(v *workload.View) {
	e.emit(reference(v), nil, status.Event{Warning: true, Reason: v1alpha1.ReasonRestored, Action: "Hold", Note: fmt.Sprintf("restored as it was held, "+
		"and DRPlan %s is not there: put back the template that ran, or start this one with %s", v.HeldBy, workload.KindOf(v.Key).Resume)})
}

// NotRecorded tells on a plan that the API server refused a release, by a quota for example: what it stands for stays
// held until that is mended.
func (e Events) NotRecorded(p *v1alpha1.DRPlan, err error) {
	e.emit(p, nil, status.Event{
		Warning: true, Reason: "AppReleaseNotCreated", Action: "Record", Note: fmt.Sprintf("what is held stays held: %v", err),
	})
}

// NotBackedUp tells on a plan that the API server refused a Backup: what waits for it stays held until that is mended.
func (e Events) NotBackedUp(p *v1alpha1.DRPlan, err error) {
	e.emit(p, nil, status.Event{
		Warning: true, Reason: "BackupNotCreated", Action: "BackUp", Note: fmt.Sprintf("what waits for it stays held: %v", err),
	})
}

// BackupFailed tells on a Backup, in Velero's namespace, why it failed in Velero's own words: tenants are not told those.
func (e Events) BackupFailed(b *velerov1.Backup, text string) {
	e.emit(b, nil, status.Event{Warning: true, Reason: "BackupFailed", Action: "BackUp", Note: text})
}

// maxNote is how long a note may be, in bytes (events.k8s.io/v1). The API server refuses a longer one.
const maxNote = 1024

func (e Events) emit(on, related runtime.Object, event status.Event) {
	eventType := corev1.EventTypeNormal
	if event.Warning {
		eventType = corev1.EventTypeWarning
	}
	e.Recorder.Eventf(on, related, eventType, event.Reason, event.Action, "%s", bounded(event.Note))
}

// reference names a workload without reading it again.
func reference(v *workload.View) *corev1.ObjectReference {
	return &corev1.ObjectReference{
		APIVersion: workload.KindOf(v.Key).GroupVersion().String(), Kind: string(v.Kind),
		Namespace: v.Namespace, Name: v.Name, UID: v.UID, ResourceVersion: v.ResourceVersion,
	}
}

// bounded makes a note printable, whatever it quotes, and cuts it to what the API server takes, between two characters.
func bounded(note string) string {
	note = printable.Text(note)
	if len(note) <= maxNote {
		return note
	}
	return strings.ToValidUTF8(note[:maxNote], "")
}
