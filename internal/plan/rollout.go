// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/drift"
	"github.com/backstay-dr/backstay/internal/velero"
)

// maxRollouts is how many rollouts a release remembers: the bound of its status.
const maxRollouts = 10

// ensureRelease finds the release of a version, or makes it.
func (d *decider) ensureRelease(v drift.Version) *release {
	for _, r := range d.releases {
		if !r.duplicate && r.Spec.Version == v.Value {
			return r
		}
	}
	obj := &v1alpha1.AppRelease{}
	obj.Namespace, obj.Name = d.in.Namespace, d.freeName(velero.ReleaseName(d.in.Name, v.Value))
	obj.Spec = v1alpha1.AppReleaseSpec{Plan: d.in.Name, Version: v.Value, Intent: v1alpha1.IntentRecord}
	r := &release{AppRelease: obj, status: &v1alpha1.AppReleaseStatus{}, fresh: true}
	d.releases = append(d.releases, r)
	return r
}

// freeName is a name that no release of the plan has. One of another plan may have it: whoever creates the release sees that.
func (d *decider) freeName(name string) string {
	free := name
	for n := 2; slices.ContainsFunc(d.releases, func(r *release) bool { return r.Name == free }); n++ {
		free = fmt.Sprintf("%s-%d", name, n)
	}
	return free
}

// openRollout begins a rollout, with a number above that of any before it and of any backup that exists. A release whose
// record was lost, since it was deleted and created again, goes on with the newest backup that exists for it.
func (d *decider) openRollout(r *release, cause v1alpha1.RolloutCause) course {
	newest, number := d.newestBackup(r)
	ro := v1alpha1.Rollout{Number: number + 1, Cause: cause, PreviousVersion: d.previousVersions(), OpenedTime: d.now}
	for i := range r.status.Rollouts {
		ro.Number = max(ro.Number, r.status.Rollouts[i].Number+1)
	}
	if newest != nil && len(r.status.Rollouts) == 0 {
		d.resume(course{&ro, r}, newest, number)
	}
	r.status.Rollouts = slices.Insert(r.status.Rollouts, 0, ro)
	d.forgetOldest(r)
	d.recordsChanged()
	return course{&r.status.Rollouts[0], r}
}

// forgetOldest keeps a release within the bound of its status: of the rollouts that ended the oldest goes, and one that
// did not end only where none did.
func (d *decider) forgetOldest(r *release) {
	for len(r.status.Rollouts) > maxRollouts {
		forgetOne(r.status)
	}
}

// forgetOne forgets the oldest rollout that ended, or the oldest of all but the newest.
func forgetOne(s *v1alpha1.AppReleaseStatus) {
	oldest := len(s.Rollouts) - 1
	for i := oldest; i > 0; i-- {
		if !open(&s.Rollouts[i]) {
			oldest = i
			break
		}
	}
	s.Rollouts = slices.Delete(s.Rollouts, oldest, oldest+1)
}

// resume lets a rollout of a release without any go on with a backup that exists for it, if that can still be of use.
// Where that rollout has started something already, only a release that announces itself again takes it up; a change
// that is held is the next rollout.
func (d *decider) resume(ro course, b *velerov1.Backup, number int32) {
	earlier := course{&v1alpha1.Rollout{Number: number}, ro.of}
	used := d.used(ro, number)
	switch {
	case velero.StateOf(b) == velero.Failed, !d.fresh(b):
		return
	case used && (ro.Cause != v1alpha1.CauseAhead || velero.StateOf(b) != velero.Completed || len(d.runningAt(ro)) == 0):
		return
	case !used && d.void(earlier, b):
		return
	}
	ro.Number = number
	ro.Backup = &v1alpha1.RolloutBackup{Name: b.Name, Attempt: d.attemptOf(ro, b), Version: b.Annotations[v1alpha1.AnnotationVersion]}
	if used {
		d.resumeUsed(ro, b)
	}
}

// used reports whether the rollout of that number has started something: the plan remembers it, or a release announces
// itself of which every workload runs the version.
func (d *decider) used(ro course, number int32) bool {
	version := ro.of.Spec.Version
	if last := d.plan.Status.LastStart; last != nil && last.Version == version && last.Rollout == number {
		return true
	}
	running := drift.Distinct(d.runningVersions())
	return ro.Cause == v1alpha1.CauseAhead && len(running) == 1 && running[0] == version
}

// resumeUsed records again what started in a rollout, as far as the workloads show it.
func (d *decider) resumeUsed(ro course, b *velerov1.Backup) {
	at := cmp.Or(b.Status.CompletionTimestamp, &b.CreationTimestamp)
	if last := d.plan.Status.LastStart; last != nil && last.Version == ro.of.Spec.Version && last.Rollout == ro.Number {
		at = &last.Time
	}
	released := metav1.NewTime(at.Time)
	ro.AdmittedTime, ro.PreviousVersion = &released, ro.Backup.Version
	for _, m := range d.runningAt(ro) {
		rec := v1alpha1.RolloutWorkload{
			Group: m.Group, Kind: m.Kind, Name: m.Name, UID: string(m.UID), TemplateHash: m.Template.Hash, VersionSource: d.versionOf(m).Source,
			PreviousVersion: ro.Backup.Version, State: v1alpha1.WorkloadAdmitted,
			StartReason: v1alpha1.StartBackupCompleted, AdmittedGeneration: max(1, m.Generation),
		}
		trackAdmitted(&rec, m)
		addRecord(ro.Rollout, rec)
	}
}

// runningAt lists the workloads that run the version of a rollout, with nothing held over it.
func (d *decider) runningAt(ro course) []*Member {
	return slices.DeleteFunc(slices.Clone(d.sorted), func(m *Member) bool {
		return !m.Selected || !m.Driver || m.Paused || d.versionOf(m).Value != ro.of.Spec.Version
	})
}

// newestBackup finds the backup of a release with the highest rollout number, of several attempts the newest.
func (d *decider) newestBackup(r *release) (newest *velerov1.Backup, number int32) {
	for _, b := range d.in.Backups {
		n, err := strconv.ParseInt(b.Labels[v1alpha1.LabelRollout], 10, 32)
		if err != nil || n < 1 || n == math.MaxInt32 || b.Annotations[v1alpha1.AnnotationReleaseVersion] != r.Spec.Version {
			continue
		}
		if newest == nil || cmp.Or(
			cmp.Compare(int32(n), number), b.CreationTimestamp.Compare(newest.CreationTimestamp.Time), cmp.Compare(b.Name, newest.Name),
		) > 0 {
			newest, number = b, int32(n)
		}
	}
	return newest, number
}

// adoptBackups lets a rollout take over the backup of another one that it replaces before that started: nothing has
// changed under it, and one backup for a workload that is edited again and again is enough. A backup that is Completed
// may have let the other one go already, by the hand of an operator that was killed after it: it is not taken over.
func (d *decider) adoptBackups() {
	for ro := range d.courses() {
		if !open(ro.Rollout) || ro.Backup != nil || !holds(ro.Rollout) {
			continue
		}
		for old := range d.courses() {
			if b := d.adoptable(old, ro); b != nil {
				ro.Backup = &v1alpha1.RolloutBackup{Name: b.Name, Attempt: 1, Version: old.Backup.Version}
				break
			}
		}
	}
}

// adoptable is the backup under way of a rollout that another one replaced.
func (d *decider) adoptable(old, by course) *velerov1.Backup {
	if old.Rollout == by.Rollout || !open(old.Rollout) || old.Backup == nil || old.AdmittedTime != nil || !replaced(old.Rollout, by.Rollout) {
		return nil
	}
	if b := d.in.Backups[old.Backup.Name]; b != nil && velero.StateOf(b) == velero.Waiting {
		return b
	}
	return nil
}

// replaced reports whether nothing is left in a rollout, and one of its workloads moved to that other one.
func replaced(old, by *v1alpha1.Rollout) bool {
	moved := false
	for i := range old.Workloads {
		rec := &old.Workloads[i]
		if !ended(rec) || rec.StartReason != "" {
			return false
		}
		moved = moved || rec.State == v1alpha1.WorkloadSuperseded &&
			slices.ContainsFunc(by.Workloads, func(other v1alpha1.RolloutWorkload) bool { return keyOf(&other) == keyOf(rec) })
	}
	return moved
}
