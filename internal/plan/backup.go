// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/velero"
)

// backUp brings what is known of the backups forward, and begins those that are wanted. The rollouts of a plan that hold
// something take their backups one after another: a start in between would void the others. One that holds nothing is
// voided by the next start in any case, so that nobody waits for it.
func (d *decider) backUp() {
	var wanting []course
	var busy *release
	d.retryOnRequest()
	for ro := range d.courses() {
		d.observeBackup(ro)
		switch {
		case !open(ro.Rollout):
		case d.wantsBackup(ro):
			wanting = append(wanting, ro)
		case d.atWork(ro):
			busy = ro.of
		}
	}
	slices.SortStableFunc(wanting, compareCourses)
	for _, ro := range wanting {
		if d.beginBackup(ro, busy) && d.atWork(ro) {
			busy = ro.of
		}
	}
}

// wantsBackup reports whether a rollout needs a backup that it does not have and that is not under way.
func (d *decider) wantsBackup(ro course) bool {
	switch {
	case d.mode() == v1alpha1.GateModeDisabled:
		return false
	case holds(ro.Rollout):
		return !hasBackup(ro.Rollout) || backupFailed(ro.Rollout) || d.outdated(ro) && !d.waitsForUsers(ro.Rollout)
	case startedUnheld(ro.Rollout), ahead(ro.Rollout):
		return !hasBackup(ro.Rollout) || backupFailed(ro.Rollout)
	default:
		return false
	}
}

// atWork reports whether the backup of a rollout that is urgent is under way, or about to let it start.
func (d *decider) atWork(ro course) bool {
	return ro.Backup != nil && !backupFailed(ro.Rollout) && (d.urgent(ro) || d.aboutToStart(ro))
}

// startSoon is how long a rollout may take to start once its backup is over. Longer is what admission refuses to start.
const startSoon = time.Minute

// aboutToStart reports whether the backup of a rollout was Completed just now: whatever starts of it voids the backups of others.
func (d *decider) aboutToStart(ro course) bool {
	done := ro.Backup.CompletionTime
	return over(ro.Backup.Phase) && done != nil && d.in.Now.Before(done.Add(startSoon)) && !d.waitsForUsers(ro.Rollout)
}

// urgent reports whether a rollout holds something that others wait for meanwhile. What is held for longer than its deadline
// keeps nobody else waiting, and neither does what its user paused.
func (d *decider) urgent(ro course) bool {
	return slices.ContainsFunc(ro.Workloads, func(rec v1alpha1.RolloutWorkload) bool {
		return rec.State == v1alpha1.WorkloadHeld && !d.userPaused(&rec) && !d.pastDeadline(&rec)
	})
}

// userPaused reports whether a held workload waits for its user to resume it too.
func (d *decider) userPaused(rec *v1alpha1.RolloutWorkload) bool {
	m := d.members[keyOf(rec)]
	return m != nil && m.UserPaused
}

// outdated: the backup of a rollout that holds something cannot be relied on any more, or is gone after its end: one
// that was taken ahead may have expired.
func (d *decider) outdated(ro course) bool {
	b := d.in.Backups[ro.Backup.Name]
	if over(ro.Backup.Phase) && (b == nil || velero.StateOf(b) != velero.Completed) {
		return true
	}
	return b != nil && (d.void(ro, b) || slices.ContainsFunc(ro.Workloads, func(rec v1alpha1.RolloutWorkload) bool {
		return rec.State == v1alpha1.WorkloadHeld && !d.covers(b, &rec)
	}))
}

// serves reports whether the backup that was taken ahead is, or will be, of use to a rollout that begins now.
func (d *decider) serves(ro course) bool {
	switch {
	case ro.Backup == nil:
		return true
	case backupFailed(ro.Rollout):
		return true // another attempt follows
	}
	b := d.in.Backups[ro.Backup.Name]
	if b == nil {
		return ro.Backup.Phase == ""
	}
	usable := velero.StateOf(b) == velero.Completed || !over(ro.Backup.Phase)
	return usable && !d.void(ro, b) && d.fresh(b)
}

// beginBackup creates the backup of a rollout, or notes what it waits for. It tells whether one is under way then. What
// escaped is backed up at once.
func (d *decider) beginBackup(ro course, busy *release) bool {
	if backupFailed(ro.Rollout) && !d.retry(ro) {
		return false
	}
	if w, waits := d.waitBefore(ro, busy); waits {
		d.waits[ro.Rollout] = w
		return false
	}
	id := d.backupID(ro, d.nextAttempt(ro))
	ro.Backup = &v1alpha1.RolloutBackup{Name: id.Name(), Attempt: id.Attempt, Version: d.captured()}
	d.create(velero.NewBackup(d.plan, id, ro.Backup.Version))
	return true
}

// waitBefore says what the backup of a rollout waits for before it can begin.
func (d *decider) waitBefore(ro course, busy *release) (wait, bool) {
	started := startedUnheld(ro.Rollout)
	if busy != nil && !started {
		return wait{v1alpha1.ReasonWaitingForRollout, fmt.Sprintf("release %s has its backup taken first", busy.Name)}, true
	}
	if !escaped(ro.Rollout) {
		if name := d.behind(ro); name != "" {
			return wait{v1alpha1.ReasonWaitingForRollout, fmt.Sprintf("backup %s of the same plan is taken first", name)}, true
		}
	}
	if w, waits := d.waitForShare(ro); waits {
		return w, true
	}
	if at := d.lastOtherStart(ro).Add(createMargin); d.in.Now.Before(at) && (holds(ro.Rollout) || !started) {
		d.wake(at)
		return wait{v1alpha1.ReasonBackupPending, "the backup begins a moment after the last start of a workload of this plan"}, true
	}
	if d.in.LocationProblem != "" {
		return wait{v1alpha1.ReasonStorageLocationUnavailable, d.in.LocationProblem}, true
	}
	return wait{}, false
}

// behind names the backup of the plan that a rollout waits for before its own. Velero takes its backups in turn, for everybody:
// a plan has one of a rollout that is urgent under way and one of another, whatever its users announce, pause, or let wait.
// What escaped comes on top.
func (d *decider) behind(ro course) string {
	const most = 2
	underWay := d.urgencies(ro)
	names := slices.Sorted(maps.Keys(underWay))
	switch i := slices.IndexFunc(names, func(name string) bool { return !underWay[name] }); {
	case len(names) >= most:
		return names[0]
	case i >= 0 && !d.urgent(ro):
		return names[i]
	default:
		return ""
	}
}

// StuckAfter is when a backup under way keeps no other of its plan waiting any more: Velero may never end it.
const StuckAfter = time.Hour

// urgencies are the backups under way but for that of a rollout, each with whether one that is urgent waits for it.
func (d *decider) urgencies(ro course) map[string]bool {
	out := map[string]bool{}
	for name, b := range d.in.Backups {
		if at := b.CreationTimestamp.Add(StuckAfter); velero.StateOf(b) == velero.Waiting && d.in.Now.Before(at) && !d.withdrawn(name) {
			d.wake(at)
			out[name] = false
		}
	}
	for other := range d.courses() {
		if other.Backup == nil {
			continue
		}
		_, waits := out[other.Backup.Name]
		if waits || open(other.Rollout) && other.Backup.Phase == "" && d.in.Backups[other.Backup.Name] == nil {
			out[other.Backup.Name] = out[other.Backup.Name] || d.urgent(other)
		}
	}
	if ro.Backup != nil {
		delete(out, ro.Backup.Name)
	}
	return out
}

// create asks for a Backup. Two rollouts may ask for the same: one that was taken over.
func (d *decider) create(b *velerov1.Backup) {
	if !slices.ContainsFunc(d.out.Backups, func(other *velerov1.Backup) bool { return other.Name == b.Name }) {
		d.out.Backups = append(d.out.Backups, b)
	}
}

// nextAttempt is the number of the next attempt, above that of any whose Backup exists.
func (d *decider) nextAttempt(ro course) int32 {
	attempt := int32(1)
	if ro.Backup != nil {
		attempt = max(ro.Backup.Attempt, 0) + 1
	}
	for d.in.Backups[d.backupID(ro, attempt).Name()] != nil {
		attempt++
	}
	return attempt
}

// attemptOf finds which attempt at the backup of a rollout a Backup is; the first where it is none.
func (d *decider) attemptOf(ro course, b *velerov1.Backup) int32 {
	for attempt := int32(1); attempt <= maxAttempts; attempt++ {
		if d.backupID(ro, attempt).Name() == b.Name {
			return attempt
		}
	}
	return 1
}

func (d *decider) backupID(ro course, attempt int32) velero.BackupID {
	return velero.BackupID{
		Cluster: d.in.Cluster, Namespace: d.in.Namespace, Plan: d.in.Name, Version: ro.of.Spec.Version, Rollout: ro.Number, Attempt: attempt,
	}
}

// holds reports whether a rollout has workloads that wait for its backup.
func holds(ro *v1alpha1.Rollout) bool {
	return slices.ContainsFunc(ro.Workloads, func(rec v1alpha1.RolloutWorkload) bool { return rec.State == v1alpha1.WorkloadHeld })
}

// ahead reports whether a rollout was announced, and no workload has changed yet.
func ahead(ro *v1alpha1.Rollout) bool {
	return ro.Cause == v1alpha1.CauseAhead && len(ro.Workloads) == 0
}

// startedUnheld reports whether something of a rollout started that nobody let go.
func startedUnheld(ro *v1alpha1.Rollout) bool {
	return slices.ContainsFunc(ro.Workloads, func(rec v1alpha1.RolloutWorkload) bool { return rec.StartReason == v1alpha1.StartNotHeld })
}

// compareCourses puts those first that hold something, then the oldest.
func compareCourses(a, b course) int {
	rank := func(ro course) int {
		if len(ro.Workloads) > 0 {
			return 0
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(rank(a), rank(b)),
		a.OpenedTime.Compare(b.OpenedTime.Time),
		cmp.Compare(a.of.Name, b.of.Name),
		cmp.Compare(a.Number, b.Number),
	)
}

func compareRecords(a, b v1alpha1.RolloutWorkload) int {
	return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
}
