// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"maps"
	"slices"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/velero"
	"github.com/backstay-dr/backstay/internal/workload"
)

// disturb takes their version back from the backups that were not seen to be over when something started: they may hold
// some of it. The backup that allowed this start is over, seen or not.
func (d *decider) disturb(ro course, why v1alpha1.StartReason) {
	allowed := ""
	if why == v1alpha1.StartBackupCompleted && ro.Backup != nil {
		allowed = ro.Backup.Name
	}
	for other := range d.courses() {
		if b := other.Backup; b != nil && b.Name != allowed && !over(b.Phase) {
			b.Version = ""
		}
	}
}

// relabel finds the backups that claim to have captured a version while something else started: a backup that waited
// in Velero's queue when its rollout was overridden captures what came after. They protect no version.
func (d *decider) relabel() {
	for _, name := range slices.Sorted(maps.Keys(d.in.Backups)) {
		b := d.in.Backups[name]
		if b.Annotations[v1alpha1.AnnotationVersion] == "" || velero.StateOf(b) == velero.Failed || d.withdrawn(name) {
			continue
		}
		if d.disownsVersion(name) || d.disturbed(b) || d.overtaken(b) {
			d.out.Relabel = append(d.out.Relabel, name)
			d.forgetVersion(name)
		}
	}
}

// overtaken reports whether a backup that is not over claims another version than the one that runs: its release may be
// gone, and with it the record of what it waited for.
func (d *decider) overtaken(b *velerov1.Backup) bool {
	return velero.StateOf(b) == velero.Waiting && b.Annotations[v1alpha1.AnnotationVersion] != d.captured()
}

// disownsVersion reports whether a rollout knows that its backup captured no single version.
func (d *decider) disownsVersion(backup string) bool {
	for _, r := range d.releases {
		for i := range r.status.Rollouts {
			if b := r.status.Rollouts[i].Backup; b != nil && b.Name == backup && b.Version == "" {
				return true
			}
		}
	}
	return false
}

// disturbed reports whether anything started between the creation of a backup and its end, but for what the backup itself
// allowed.
func (d *decider) disturbed(b *velerov1.Backup) bool {
	if s := d.plan.Status.LastStart; s != nil && s.Rollout == 0 && during(b, s.Time) {
		return true
	}
	for _, r := range d.releases {
		for i := range r.status.Rollouts {
			ro := &r.status.Rollouts[i]
			if ro.AdmittedTime != nil && during(b, *ro.AdmittedTime) && !allowedBy(ro, b) {
				return true
			}
		}
	}
	return slices.ContainsFunc(d.sorted, func(m *Member) bool { return m.Selected && d.unseenDuring(b, m) })
}

// unseenDuring reports whether the ReplicaSets of a workload tell of a start of another version during a backup that nobody
// recorded.
func (d *decider) unseenDuring(b *velerov1.Backup, m *Member) bool {
	return slices.ContainsFunc(m.Revisions, func(rev workload.Revision) bool {
		hash := rev.Template.Hash
		if !during(b, rev.Created) || !rev.Created.Time.Equal(firstCreated(m, hash)) {
			return false
		}
		if a := rev.Admitted; a != nil && !workload.Comparable(a.Template, d.scheme) {
			return false // of what, cannot be told
		}
		if a := admission(m, hash); a != nil && a.Backup == b.Name {
			return false // it was admitted by this backup, which was over then
		}
		return !d.remembered(m, hash) && !d.allows(b, m, hash) &&
			d.artifacts.Resolve(rev.Template, nil).Value != b.Annotations[v1alpha1.AnnotationVersion]
	})
}

// allows reports whether a backup is that of a rollout of a workload to a template.
func (d *decider) allows(b *velerov1.Backup, m *Member, hash string) bool {
	for ro := range d.courses() {
		rec := recordOf(ro.Rollout, m)
		if ro.Backup != nil && ro.Backup.Name == b.Name && rec != nil && rec.TemplateHash == hash {
			return true
		}
	}
	return false
}

// during reports whether a time lies between the creation of a backup and its end, both seconds included.
func during(b *velerov1.Backup, at metav1.Time) bool {
	if at.Time.Before(createdAt(b).Truncate(time.Second)) {
		return false
	}
	return b.Status.CompletionTimestamp == nil || !at.After(b.Status.CompletionTimestamp.Time)
}

// allowedBy reports whether everything of a rollout that started did so because of this backup, which is after its end.
func allowedBy(ro *v1alpha1.Rollout, b *velerov1.Backup) bool {
	return ro.Backup != nil && ro.Backup.Name == b.Name && !slices.ContainsFunc(ro.Workloads, func(rec v1alpha1.RolloutWorkload) bool {
		return rec.StartReason != "" && rec.StartReason != v1alpha1.StartBackupCompleted
	})
}

func (d *decider) forgetVersion(backup string) {
	for _, r := range d.releases {
		for i := range r.status.Rollouts {
			if ro := &r.status.Rollouts[i]; ro.Backup != nil && ro.Backup.Name == backup {
				ro.Backup.Version = ""
			}
		}
	}
}
