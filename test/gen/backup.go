// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gen

import (
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// BackupOption changes a Backup.
type BackupOption interface{ applyBackup(*velerov1.Backup) }

type backupOption func(*velerov1.Backup)

func (f backupOption) applyBackup(b *velerov1.Backup) { f(b) }

// Backup is a Backup that Velero has not looked at yet.
func Backup(name string, options ...BackupOption) *velerov1.Backup {
	b := &velerov1.Backup{
		TypeMeta:   metav1.TypeMeta{APIVersion: velerov1.SchemeGroupVersion.String(), Kind: "Backup"},
		ObjectMeta: metav1.ObjectMeta{Namespace: VeleroNamespace, Name: name, UID: types.UID("uid-backup-" + name), ResourceVersion: "1"},
	}
	for _, o := range options {
		o.applyBackup(b)
	}
	return b
}

// Phase sets the phase.
func Phase(phase velerov1.BackupPhase) BackupOption {
	return backupOption(func(b *velerov1.Backup) { b.Status.Phase = phase })
}

// Began sets when Velero began it.
func Began(at time.Time) BackupOption {
	return backupOption(func(b *velerov1.Backup) { b.Status.StartTimestamp = stamp(at) })
}

// Completed makes it Completed: begun and ended at these times.
func Completed(began, ended time.Time) BackupOption {
	return backupOption(func(b *velerov1.Backup) {
		b.Status.Phase = velerov1.BackupPhaseCompleted
		b.Status.StartTimestamp, b.Status.CompletionTimestamp = stamp(began), stamp(ended)
	})
}

// FailureReason sets why it failed.
func FailureReason(reason string) BackupOption {
	return backupOption(func(b *velerov1.Backup) { b.Status.FailureReason = reason })
}

// Progress sets how many items are backed up, of how many.
func Progress(done, total int) BackupOption {
	return backupOption(func(b *velerov1.Backup) {
		b.Status.Progress = &velerov1.BackupProgress{ItemsBackedUp: done, TotalItems: total}
	})
}

// LocationOption changes a BackupStorageLocation.
type LocationOption interface {
	applyLocation(*velerov1.BackupStorageLocation)
}

type locationOption func(*velerov1.BackupStorageLocation)

func (f locationOption) applyLocation(l *velerov1.BackupStorageLocation) { f(l) }

// Location is a storage location that is Available.
func Location(name string, options ...LocationOption) *velerov1.BackupStorageLocation {
	l := &velerov1.BackupStorageLocation{
		TypeMeta:   metav1.TypeMeta{APIVersion: velerov1.SchemeGroupVersion.String(), Kind: "BackupStorageLocation"},
		ObjectMeta: metav1.ObjectMeta{Namespace: VeleroNamespace, Name: name},
		Spec: velerov1.BackupStorageLocationSpec{
			Provider:    "aws",
			StorageType: velerov1.StorageType{ObjectStorage: &velerov1.ObjectStorageLocation{Bucket: name}},
			AccessMode:  velerov1.BackupStorageLocationAccessModeReadWrite,
		},
		Status: velerov1.BackupStorageLocationStatus{Phase: velerov1.BackupStorageLocationPhaseAvailable},
	}
	for _, o := range options {
		o.applyLocation(l)
	}
	return l
}

// DefaultLocation marks it as Velero's default.
func DefaultLocation() LocationOption {
	return locationOption(func(l *velerov1.BackupStorageLocation) { l.Spec.Default = true })
}

// ReadOnly makes it take no backups.
func ReadOnly() LocationOption {
	return locationOption(func(l *velerov1.BackupStorageLocation) {
		l.Spec.AccessMode = velerov1.BackupStorageLocationAccessModeReadOnly
	})
}

// LocationStatus sets its phase and Velero's message.
func LocationStatus(phase velerov1.BackupStorageLocationPhase, message string) LocationOption {
	return locationOption(func(l *velerov1.BackupStorageLocation) { l.Status.Phase, l.Status.Message = phase, message })
}

func stamp(at time.Time) *metav1.Time {
	t := metav1.NewTime(at.Truncate(time.Second))
	return &t
}
