// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"cmp"
	"fmt"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/velero"
)

// protected finds the newest backup that protects a version, and measures it by the recovery point objective.
// The recovery point is when the backup began: what was written later is not in it for sure.
func protected(f *facts.Facts, book *records.Book, s *v1alpha1.DRPlanStatus) (metav1.Condition, time.Time) {
	c := metav1.Condition{Type: v1alpha1.ConditionProtected, Status: metav1.ConditionFalse}
	b := newestProtecting(f, book)
	if b == nil {
		s.ProtectingBackup, s.Versions.Protected = nil, ""
		c.Reason, c.Message = v1alpha1.ReasonNoBackup, "no backup protects a version yet: "+howToProtect(f)
		return c, time.Time{}
	}
	version := b.Annotations[v1alpha1.AnnotationVersion]
	s.Versions.Protected = version
	s.ProtectingBackup = &v1alpha1.ProtectingBackup{
		Name: b.Name, Version: version, StartTime: *b.Status.StartTimestamp, CompletionTime: *b.Status.CompletionTimestamp,
	}
	objective := f.Objective()
	expires := b.Status.StartTimestamp.Add(objective)
	if f.Now.Before(expires) {
		c.Status, c.Reason = metav1.ConditionTrue, v1alpha1.ReasonWithinObjective
		c.Message = fmt.Sprintf("backup %s of version %s is within the recovery point objective of %s until %s",
			b.Name, version, objective, expires.UTC().Format(time.RFC3339))
	} else {
		c.Reason = v1alpha1.ReasonBackupTooOld
		c.Message = fmt.Sprintf("backup %s of version %s is older than the recovery point objective of %s: %s",
			b.Name, version, objective, howToProtect(f))
	}
	return c, expires
}

// howToProtect is where a backup comes from that protects what runs. One that is taken while a rollout is under way, as in
// mode Observe, protects no version.
func howToProtect(f *facts.Facts) string {
	const announce = "create an AppRelease with intent Deploy to have one taken"
	switch f.Mode() {
	case v1alpha1.GateModeDisabled:
		return "spec.gate.mode is Disabled, and none is taken"
	case v1alpha1.GateModeObserve:
		return announce
	default:
		return "the next rollout takes one, or " + announce
	}
}

func newestProtecting(f *facts.Facts, book *records.Book) *velerov1.Backup {
	var newest *velerov1.Backup
	for _, b := range f.Backups {
		if velero.StateOf(b) != velero.Completed || b.Annotations[v1alpha1.AnnotationVersion] == "" ||
			b.Status.StartTimestamp == nil || b.Status.CompletionTimestamp == nil || book.DisownsVersion(b.Name) {
			continue
		}
		if newest == nil || cmp.Or(newest.Status.StartTimestamp.Compare(b.Status.StartTimestamp.Time), cmp.Compare(newest.Name, b.Name)) < 0 {
			newest = b
		}
	}
	return newest
}
