// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package velero

import (
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/gen"
)

var later = &metav1.Time{Time: time.Unix(2000, 0)}

// Velero writes a location once a minute though nothing changed, and its generation grows with that.
func TestLocationChangedDropsValidationsAndPassesWhatAPlanWaitsFor(t *testing.T) {
	const allow = v1alpha1.LabelAllowPrefix + "ns"
	for name, tc := range map[string]struct {
		change func(*velerov1.BackupStorageLocation)
		want   bool
	}{
		"validated": {func(l *velerov1.BackupStorageLocation) {
			l.Status.LastValidationTime = later
		}, false},
		"synchronized":       {func(l *velerov1.BackupStorageLocation) { l.Status.LastSyncedTime = later }, false},
		"another message":    {func(l *velerov1.BackupStorageLocation) { l.Status.Message = "slow" }, false},
		"another annotation": {func(l *velerov1.BackupStorageLocation) { l.Annotations = map[string]string{"a": "b"} }, false},
		"another label":      {func(l *velerov1.BackupStorageLocation) { l.Labels["team"] = "blue" }, false},
		"created again":      {func(l *velerov1.BackupStorageLocation) { l.UID = "another" }, true},
		"unavailable": {func(l *velerov1.BackupStorageLocation) {
			l.Status.Phase = velerov1.BackupStorageLocationPhaseUnavailable
		}, true},
		"not validated": {func(l *velerov1.BackupStorageLocation) { l.Status.Phase = "" }, true},
		"read-only": {func(l *velerov1.BackupStorageLocation) {
			l.Spec.AccessMode = velerov1.BackupStorageLocationAccessModeReadOnly
		}, true},
		"the default":         {func(l *velerov1.BackupStorageLocation) { l.Spec.Default = true }, true},
		"it admits no more":   {func(l *velerov1.BackupStorageLocation) { delete(l.Labels, allow) }, true},
		"it denies":           {func(l *velerov1.BackupStorageLocation) { l.Labels[allow] = "false" }, true},
		"it admits one other": {func(l *velerov1.BackupStorageLocation) { l.Labels[allow+"2"] = "true" }, true},
	} {
		t.Run(name, func(t *testing.T) {
			from := gen.Location("vault", gen.Label(allow, "true"))
			to := from.DeepCopy()
			to.Generation++
			to.ResourceVersion = "2"
			tc.change(to)
			if got := LocationChanged(from, to); got != tc.want {
				t.Errorf("LocationChanged() = %t, want %t", got, tc.want)
			}
			told := LocationProblem(from, "vault", "ns") != LocationProblem(to, "vault", "ns") ||
				(DefaultLocation([]velerov1.BackupStorageLocation{*from}) == nil) != (DefaultLocation([]velerov1.BackupStorageLocation{*to}) == nil)
			if told && !tc.want {
				t.Error("a plan is told of a change that wakes nobody")
			}
		})
	}
}

// Velero writes the progress of a Backup once a second.
func TestBackupChangedPassesProgressInTenths(t *testing.T) {
	progress := func(done, total int) func(*velerov1.Backup) {
		return func(b *velerov1.Backup) {
			b.Status.Progress = &velerov1.BackupProgress{ItemsBackedUp: done, TotalItems: total}
		}
	}
	for name, tc := range map[string]struct {
		change func(*velerov1.Backup)
		want   bool
	}{
		"nothing":           {func(*velerov1.Backup) {}, false},
		"the spec":          {func(b *velerov1.Backup) { b.Spec.TTL.Duration = time.Hour }, false},
		"an item":           {progress(119, 1000), false},
		"a tenth":           {progress(200, 1000), true},
		"everything":        {progress(1000, 1000), true},
		"more to do":        {progress(110, 2000), true},
		"queued":            {func(b *velerov1.Backup) { b.Status.QueuePosition = 3 }, true},
		"a phase":           {func(b *velerov1.Backup) { b.Status.Phase = velerov1.BackupPhaseFinalizing }, true},
		"a failure":         {func(b *velerov1.Backup) { b.Status.FailureReason = "no" }, true},
		"hooks":             {func(b *velerov1.Backup) { b.Status.HookStatus = &velerov1.HookStatus{HooksAttempted: 1} }, true},
		"its end":           {func(b *velerov1.Backup) { b.Status.CompletionTimestamp = later }, true},
		"a label":           {func(b *velerov1.Backup) { b.Labels["a"] = "b" }, true},
		"what it captured":  {func(b *velerov1.Backup) { b.Annotations = map[string]string{v1alpha1.AnnotationVersion: "1"} }, true},
		"created once more": {func(b *velerov1.Backup) { b.UID = "another" }, true},
	} {
		t.Run(name, func(t *testing.T) {
			from := gen.Backup("b", gen.Phase(velerov1.BackupPhaseInProgress), gen.Progress(110, 1000), gen.Label("x", "y"))
			to := from.DeepCopy()
			to.Generation++
			to.ResourceVersion = "2"
			tc.change(to)
			if got := BackupChanged(from, to); got != tc.want {
				t.Errorf("BackupChanged() = %t, want %t", got, tc.want)
			}
			if diff := from.Status.Progress.ItemsBackedUp; diff != 110 {
				t.Errorf("the cached object was changed: %d", diff)
			}
		})
	}
}
