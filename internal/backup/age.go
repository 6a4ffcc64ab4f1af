// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package backup

import (
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/velero"
)

// clockMargin is how far Velero's clock may be behind that of the API server.
const clockMargin = 10 * time.Second

// StartedSince reports whether the workload itself started something else after the backup was created: it was admitted, and
// held again with another template before anybody saw that. Its ReplicaSets tell.
func StartedSince(f *facts.Facts, b *velerov1.Backup, rec *v1alpha1.RolloutWorkload) bool {
	m := f.MemberOf(rec)
	if m == nil {
		return false
	}
	for i := range m.Revisions {
		hash := m.Revisions[i].Template.Hash
		if hash != rec.TemplateHash && createdSince(m, hash, b) {
			return true
		}
	}
	return false
}

// createdSince reports whether a template first started after a backup was created. Both times are of the API server's
// clock and in whole seconds: in the same second it may have been after it.
func createdSince(m *facts.Member, hash string, b *velerov1.Backup) bool {
	first := facts.FirstCreated(m, hash)
	return !first.IsZero() && !first.Before(CreatedAt(b))
}

// CreatedAt is when a Backup was created. One that Velero found in the bucket, after its object was deleted or in
// another cluster, is a new object and an old backup: it began before it was created.
func CreatedAt(b *velerov1.Backup) time.Time {
	created := b.CreationTimestamp.Time
	if s := b.Status.StartTimestamp; s != nil && s.Time.Before(created.Add(-clockMargin)) {
		return s.Time
	}
	return created
}

// Fresh reports whether a backup is within the recovery point objective now, when it would be relied on. One that is not over
// has not begun to age: what is asked then is whether it is worth waiting for.
func Fresh(f *facts.Facts, b *velerov1.Backup) bool {
	if velero.StateOf(b) == velero.Waiting {
		return true
	}
	return f.Now.Sub(beganAt(b)) <= f.Objective()
}

// TooSlow reports whether a backup took longer than the recovery point objective: it was too old to rely on before it ended,
// and the next one will be.
func TooSlow(f *facts.Facts, b *velerov1.Backup) bool {
	end := b.Status.CompletionTimestamp
	return end != nil && end.Sub(beganAt(b)) > f.Objective()
}

// beganAt is when the state was captured that a backup holds.
func beganAt(b *velerov1.Backup) time.Time {
	if b.Status.StartTimestamp != nil {
		return b.Status.StartTimestamp.Time
	}
	return b.CreationTimestamp.Time
}

// During reports whether a time lies between the creation of a backup and its end, both seconds included.
func During(b *velerov1.Backup, at metav1.Time) bool {
	if at.Time.Before(CreatedAt(b).Truncate(time.Second)) {
		return false
	}
	return b.Status.CompletionTimestamp == nil || !at.After(b.Status.CompletionTimestamp.Time)
}
