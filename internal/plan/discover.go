// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"
	"strconv"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/drift"
	"github.com/backstay-dr/backstay/internal/velero"
)

// discover finds workloads that are held, or that started, and that no rollout knows of yet.
func (d *decider) discover() {
	if d.mode() == v1alpha1.GateModeOff {
		return
	}
	for _, m := range d.sortedMembers() {
		if !m.Selected || !m.Driver {
			continue
		}
		let, known := d.lastLetThrough(m)
		switch {
		case known && let.hash == m.Template.Hash:
			// runs already, or is about to be taken back
		case m.Held():
			d.discoverHeld(m)
		case known && !m.Paused:
			d.discoverStarted(m)
		}
	}
}

func (d *decider) discoverHeld(m *Member) {
	v := d.versionOf(m)
	r := d.ensureRelease(v)
	ro := joinable(r, m)
	if ro != nil && recordOf(ro, m) != nil {
		return
	}
	if ro == nil {
		ro = d.openRollout(r, v1alpha1.CauseHeld)
		d.adoptBackup(ro, m)
	}
	rec := d.newRecord(m, v)
	rec.State, rec.HeldSince = v1alpha1.WorkloadHeld, &d.now
	addRecord(ro, rec)
}

// discoverStarted: a new template runs, and nobody let it. Where the gate was to hold it, it escaped.
func (d *decider) discoverStarted(m *Member) {
	cause, why := v1alpha1.CauseObserved, v1alpha1.StartNotHeld
	if d.mode() == v1alpha1.GateModeHold && meta.IsStatusConditionTrue(d.plan.Status.Conditions, v1alpha1.ConditionGated) {
		cause = v1alpha1.CauseEscaped
	}
	if m.Override != nil {
		cause, why = v1alpha1.CauseHeld, v1alpha1.StartOverridden
	}
	v := d.versionOf(m)
	r := d.ensureRelease(v)
	ro := joinable(r, m)
	if ro == nil {
		ro = d.openRollout(r, cause)
	}
	rec := d.newRecord(m, v)
	d.recordStart(ro, &rec, m, why)
	addRecord(ro, rec)
}

// announce opens the rollout of a release that is about to roll out, so that its backup is taken ahead.
func (d *decider) announce() {
	if d.mode() == v1alpha1.GateModeOff {
		return
	}
	for _, r := range d.primaries() {
		if r.Spec.Intent == v1alpha1.IntentDeploy && len(r.status.Rollouts) == 0 {
			d.openRollout(r, v1alpha1.CauseAhead)
		}
	}
}

func (d *decider) newRecord(m *Member, v drift.Version) v1alpha1.RolloutWorkload {
	rec := v1alpha1.RolloutWorkload{
		Kind: m.Kind, Name: m.Name, UID: string(m.UID),
		TemplateHash: m.Template.Hash, VersionSource: v.Source,
		PreviousRevision: d.previousRevision(m),
	}
	if let, known := d.lastLetThrough(m); known {
		rec.PreviousVersion = let.version.Value
	} else {
		rec.PreviousVersion = d.running(m).Value
	}
	return rec
}

func addRecord(ro *v1alpha1.Rollout, rec v1alpha1.RolloutWorkload) {
	ro.Workloads = slices.DeleteFunc(ro.Workloads, func(old v1alpha1.RolloutWorkload) bool { return keyOf(&old) == keyOf(&rec) })
	ro.Workloads = append(ro.Workloads, rec)
	slices.SortFunc(ro.Workloads, compareRecords)
}

// joinable is the rollout of a release that a workload belongs to: its newest, while that is open and the workload has
// not started in it. A further change of a workload that started is a rollout of its own.
func joinable(r *release, m *Member) *v1alpha1.Rollout {
	if len(r.status.Rollouts) == 0 || !open(&r.status.Rollouts[0]) {
		return nil
	}
	ro := &r.status.Rollouts[0]
	if rec := recordOf(ro, m); rec != nil && rec.StartReason != "" {
		return nil
	}
	return ro
}

// recordOf is the record of a member in a rollout, if it still stands for it.
func recordOf(ro *v1alpha1.Rollout, m *Member) *v1alpha1.RolloutWorkload {
	for i := range ro.Workloads {
		rec := &ro.Workloads[i]
		if keyOf(rec) == m.Key && rec.UID == string(m.UID) && (rec.State == v1alpha1.WorkloadHeld || rec.StartReason != "") {
			return rec
		}
	}
	return nil
}

// ensureRelease finds the release of a version, or makes it.
func (d *decider) ensureRelease(v drift.Version) *release {
	for _, r := range d.releases {
		if !r.duplicate && r.Spec.Version == v.Value {
			return r
		}
	}
	obj := &v1alpha1.AppRelease{}
	obj.Namespace, obj.Name = d.in.Namespace, velero.ReleaseName(d.in.Name, v.Value)
	if slices.ContainsFunc(d.releases, func(r *release) bool { return r.Name == obj.Name }) {
		obj.Name = velero.UniqueReleaseName(d.in.Name, v.Value)
	}
	obj.Spec = v1alpha1.AppReleaseSpec{Plan: d.in.Name, Version: v.Value, Intent: v1alpha1.IntentRecord}
	r := &release{AppRelease: obj, status: &v1alpha1.AppReleaseStatus{}, fresh: true}
	d.releases = append(d.releases, r)
	return r
}

// openRollout begins a rollout. A release whose record was lost, since it was deleted and created again, goes on with
// the newest backup that exists for it; otherwise the number is above that of any backup.
func (d *decider) openRollout(r *release, cause v1alpha1.RolloutCause) *v1alpha1.Rollout {
	newest, number := d.newestBackup(r)
	ro := v1alpha1.Rollout{Number: number + 1, Cause: cause, PreviousVersion: d.previousVersions(), StartTime: d.now}
	if newest != nil && len(r.status.Rollouts) == 0 && velero.StateOf(newest) != velero.Failed {
		d.resume(r, &ro, newest, number)
	}
	for _, old := range r.status.Rollouts {
		ro.Number = max(ro.Number, old.Number+1)
	}
	r.status.Rollouts = append([]v1alpha1.Rollout{ro}, r.status.Rollouts...)
	if len(r.status.Rollouts) > maxRollouts {
		r.status.Rollouts = r.status.Rollouts[:maxRollouts]
	}
	return &r.status.Rollouts[0]
}

// resume lets a rollout go on with a backup that exists. Where that rollout has started something already, only a
// release that announces itself again takes it up; a change that is held is the next rollout.
func (d *decider) resume(r *release, ro *v1alpha1.Rollout, b *velerov1.Backup, number int32) {
	last := d.plan.Status.LastStart
	used := last != nil && last.Version == r.Spec.Version && last.Rollout == number
	if used && ro.Cause != v1alpha1.CauseAhead {
		return
	}
	ro.Number = number
	ro.Backup = &v1alpha1.RolloutBackup{Name: b.Name, Attempt: d.attemptOf(r, b, number), Version: b.Annotations[v1alpha1.AnnotationVersion]}
	if !used {
		return
	}
	ro.ReleasedTime = &last.Time
	for _, m := range d.sortedMembers() {
		if v := d.versionOf(m); m.Selected && !m.Paused && v.Value == r.Spec.Version {
			rec := d.newRecord(m, v)
			rec.State, rec.StartReason = v1alpha1.WorkloadReleased, v1alpha1.StartBackupCompleted
			rec.ReleasedGeneration = m.Generation
			trackReleased(&rec, m)
			addRecord(ro, rec)
		}
	}
}

func (d *decider) attemptOf(r *release, b *velerov1.Backup, number int32) int32 {
	for attempt := int32(1); attempt <= d.plan.Spec.Gate.BackupAttempts; attempt++ {
		if d.backupID(r, number, attempt).Name() == b.Name {
			return attempt
		}
	}
	return 1
}

// newestBackup finds the backup of a release with the highest rollout number, of several attempts the newest.
func (d *decider) newestBackup(r *release) (*velerov1.Backup, int32) {
	var newest *velerov1.Backup
	number := int32(0)
	for _, b := range d.in.Backups {
		if b.Annotations[v1alpha1.AnnotationReleaseVersion] != r.Spec.Version {
			continue
		}
		n, err := strconv.ParseInt(b.Labels[v1alpha1.LabelRollout], 10, 32)
		if err != nil || int32(n) < number {
			continue
		}
		if newest == nil || int32(n) > number || newest.CreationTimestamp.Before(&b.CreationTimestamp) {
			newest, number = b, int32(n)
		}
	}
	return newest, number
}

// adoptBackup takes over the backup of a rollout that this one replaces before it started: nothing has changed under
// it, and one backup for a workload that is edited again and again is enough.
func (d *decider) adoptBackup(ro *v1alpha1.Rollout, m *Member) {
	for _, r := range d.primaries() {
		for i := range r.status.Rollouts {
			old := &r.status.Rollouts[i]
			if old == ro || !open(old) || old.Backup == nil || old.ReleasedTime != nil || !replacedBy(old, m) {
				continue
			}
			if b := d.in.Backups[old.Backup.Name]; b == nil || velero.StateOf(b) != velero.Failed {
				adopted := *old.Backup.DeepCopy()
				adopted.Attempt = 1
				ro.Backup = &adopted
				return
			}
		}
	}
}

// replacedBy says whether the move of a member to another rollout left nothing in this one.
func replacedBy(old *v1alpha1.Rollout, m *Member) bool {
	mine := false
	for _, rec := range old.Workloads {
		if rec.State == v1alpha1.WorkloadHeld || rec.StartReason != "" {
			return false
		}
		mine = mine || (keyOf(&rec) == m.Key && rec.State == v1alpha1.WorkloadSuperseded)
	}
	return mine
}
