// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"cmp"
	"slices"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/backup"
	"github.com/backstay-dr/backstay/internal/drift"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/rule"
	"github.com/backstay-dr/backstay/internal/running"
	"github.com/backstay-dr/backstay/internal/velero"
)

// resume lets a rollout of a release without any go on with a backup that exists for it, if that can still be of use.
// Where that rollout has started something already, only a release that announces itself again takes it up; a change
// that is held is the next rollout.
func resume(f *facts.Facts, book *records.Book, ro records.Rollout, b *velerov1.Backup, number int32) {
	earlier := records.Rollout{Rollout: &v1alpha1.Rollout{Number: number}, Of: ro.Of}
	isUsed := used(f, book, ro, number)
	switch {
	case velero.StateOf(b) == velero.Failed, !backup.Fresh(f, b):
		return
	case isUsed && (ro.Cause != v1alpha1.CauseAhead || velero.StateOf(b) != velero.Completed || len(runningAt(f, ro)) == 0):
		return
	case !isUsed && rule.Void(f, book, earlier, b):
		return
	}
	ro.Number = number
	ro.Backup = &v1alpha1.RolloutBackup{Name: b.Name, Attempt: backup.AttemptOf(f, ro, b), Version: b.Annotations[v1alpha1.AnnotationVersion]}
	if isUsed {
		resumeUsed(f, book, ro, b)
	}
}

// used reports whether the rollout of that number has started something: the plan remembers it, or a release announces
// itself of which every workload runs the version.
func used(f *facts.Facts, book *records.Book, ro records.Rollout, number int32) bool {
	version := ro.Of.Spec.Version
	if last := f.Plan.Status.LastStart; last != nil && last.Version == version && last.Rollout == number {
		return true
	}
	versions := drift.Distinct(running.Versions(f, book))
	return ro.Cause == v1alpha1.CauseAhead && len(versions) == 1 && versions[0] == version
}

// resumeUsed records again what started in a rollout, as far as the workloads show it.
func resumeUsed(f *facts.Facts, book *records.Book, ro records.Rollout, b *velerov1.Backup) {
	at := cmp.Or(b.Status.CompletionTimestamp, &b.CreationTimestamp)
	if last := f.Plan.Status.LastStart; last != nil && last.Version == ro.Of.Spec.Version && last.Rollout == ro.Number {
		at = &last.Time
	}
	admitted := metav1.NewTime(at.Time)
	ro.AdmittedTime, ro.PreviousVersion = &admitted, ro.Backup.Version
	for _, m := range runningAt(f, ro) {
		rec := v1alpha1.RolloutWorkload{
			Group: m.Group, Kind: m.Kind, Name: m.Name, UID: string(m.UID), TemplateHash: m.Template.Hash, VersionSource: f.VersionOf(m).Source,
			PreviousVersion: ro.Backup.Version, State: v1alpha1.WorkloadAdmitted,
			StartReason: v1alpha1.StartBackupCompleted, AdmittedGeneration: max(1, m.Generation),
		}
		trackAdmitted(&rec, m)
		book.Put(ro, rec)
	}
}

// runningAt lists the workloads that run the version of a rollout, with nothing held over it.
func runningAt(f *facts.Facts, ro records.Rollout) []*facts.Member {
	return slices.DeleteFunc(slices.Clone(f.Sorted), func(m *facts.Member) bool {
		return !m.Selected || !m.Driver || m.Paused || f.VersionOf(m).Value != ro.Of.Spec.Version
	})
}
