// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/velero"
	"github.com/backstay-dr/backstay/internal/workload"
)

const (
	// startMargin is by how much a backup must have been created after the last start of anything else of the plan:
	// one second is lost to timestamps in whole seconds, two allow for the clocks of the operator and of the API server.
	startMargin = 3 * time.Second

	// createMargin is when a backup is created after such a start, so that it satisfies startMargin.
	createMargin = startMargin + time.Second

	// clockMargin is how far Velero's clock may be behind that of the API server.
	clockMargin = 10 * time.Second
)

// ruling is what the release rule says of a held workload: why it may start now, or what it waits for.
type ruling struct {
	start v1alpha1.StartReason // "" where it must wait
	wait  wait

	// until is the deadline of a workload that must wait; zero where it has none.
	until time.Time
}

// rule is the release rule. Without a Completed backup that nothing has changed under, it is the plan that must allow a start: by its
// mode, or by its deadline. Where its user paused a workload nothing would start: it stays held, so that the rule is asked when the
// user resumes it. (A revert starts nothing new and needs no rule; an override has happened already when the operator sees it.)
func (d *decider) rule(ro course, rec *v1alpha1.RolloutWorkload) ruling {
	r := ruling{}
	if waiting(rec) != nil {
		r.until = d.deadline(rec)
	}
	blocked, isBlocked := d.blocked(ro, rec)
	switch gate := d.plan.Spec.Gate; {
	case gate.Mode != v1alpha1.GateModeHold:
		r.start = v1alpha1.StartModeChanged
	case d.userPaused(rec):
		r.wait = wait{v1alpha1.ReasonPaused, "it was paused by a user before it was held: resume it with " + resume(keyOf(rec))}
	case !isBlocked:
		r.start = v1alpha1.StartBackupCompleted
	case gate.OnDeadline == v1alpha1.DeadlineRelease && d.pastDeadline(rec):
		r.start = v1alpha1.StartDeadlinePassed
	default:
		r.wait = blocked
	}
	return r
}

// resume is how a user resumes a workload of a kind.
func resume(key workload.Key) string { return workload.KindOf(key).Resume }

// check is one thing that the backup of a rollout must pass before a held workload may rely on it. Where it does not, the check says
// what is waited for: the rule is its own explanation.
type check func(*decider, course, *v1alpha1.RolloutWorkload) (wait, bool)

var (
	// attemptChecks are about the latest attempt at the backup, whatever relies on it, in their order.
	attemptChecks = []check{(*decider).notRequested, (*decider).attemptFailed, (*decider).notCompleted}

	// relianceChecks are about what a held workload may rely on, once the backup is Completed.
	relianceChecks = []check{(*decider).overtakenByStart, (*decider).tooOld}

	backupChecks = slices.Concat(attemptChecks, relianceChecks)
)

// blocked finds what a workload waits for before its rollout's backup lets it start.
func (d *decider) blocked(ro course, rec *v1alpha1.RolloutWorkload) (wait, bool) {
	return d.firstFailed(backupChecks, ro, rec)
}

// firstFailed finds the first of some checks that is not passed.
func (d *decider) firstFailed(checks []check, ro course, rec *v1alpha1.RolloutWorkload) (wait, bool) {
	for _, blocks := range checks {
		if w, is := blocks(d, ro, rec); is {
			return w, true
		}
	}
	return wait{}, false
}

func (d *decider) notRequested(ro course, _ *v1alpha1.RolloutWorkload) (wait, bool) {
	return wait{v1alpha1.ReasonBackupPending, "the backup is about to be created"}, ro.Backup == nil
}

// attemptFailed: an attempt that was recorded as failed stays failed, whatever its phase becomes.
func (d *decider) attemptFailed(ro course, _ *v1alpha1.RolloutWorkload) (wait, bool) {
	if !backupFailed(ro.Rollout) {
		return wait{}, false
	}
	return d.failureState(ro, d.in.Backups[ro.Backup.Name]), true
}

// notCompleted says how far a backup is that is not Completed.
func (d *decider) notCompleted(ro course, _ *v1alpha1.RolloutWorkload) (wait, bool) {
	b, name := d.in.Backups[ro.Backup.Name], ro.Backup.Name
	if b != nil && velero.StateOf(b) == velero.Completed {
		return wait{}, false
	}
	switch phase := velerov1.BackupPhase(ro.Backup.Phase); {
	case b == nil && phase == "" && d.askedBefore(ro):
		return wait{v1alpha1.ReasonBackupPending, fmt.Sprintf("backup %s does not exist yet: "+
			"an event BackupNotCreated of the DRPlan says why, if the API server refuses it", name)}, true
	case b != nil && !d.in.Now.Before(b.CreationTimestamp.Add(pickUpTime)) && phase == velerov1.BackupPhaseNew:
		return wait{v1alpha1.ReasonVeleroNotResponding, fmt.Sprintf("Velero has not picked up backup %s: see that its server runs", name)}, true
	case phase == velerov1.BackupPhaseQueued, phase == velerov1.BackupPhaseReadyToStart:
		return wait{v1alpha1.ReasonBackupQueued, fmt.Sprintf("backup %s waits in Velero's queue%s", name, queued(ro.Backup))}, true
	case phase == "", phase == velerov1.BackupPhaseNew:
		return wait{v1alpha1.ReasonBackupPending, fmt.Sprintf("waiting for Velero to begin backup %s", name)}, true
	case phase == velerov1.BackupPhaseCompleted:
		return wait{v1alpha1.ReasonBackupCompleted, fmt.Sprintf("backup %s is Completed", name)}, true
	default:
		return wait{v1alpha1.ReasonBackupInProgress, fmt.Sprintf("Velero takes backup %s", name)}, true
	}
}

// overtakenByStart: something of the plan started after the backup was created, so that it may not hold the state that the workload
// would leave.
func (d *decider) overtakenByStart(ro course, rec *v1alpha1.RolloutWorkload) (wait, bool) {
	b := d.in.Backups[ro.Backup.Name]
	return wait{v1alpha1.ReasonBackupPending, fmt.Sprintf("something started since backup %s was created: another one is taken", b.Name)},
		d.void(ro, b) || d.startedSince(b, rec)
}

// tooOld: a backup must be within the recovery point objective when it is relied on.
func (d *decider) tooOld(ro course, _ *v1alpha1.RolloutWorkload) (wait, bool) {
	b := d.in.Backups[ro.Backup.Name]
	return wait{v1alpha1.ReasonBackupPending, fmt.Sprintf("backup %s is older than the recovery point objective: another one is taken", b.Name)},
		!d.fresh(b)
}

// covers reports whether a backup holds the state that a held workload would leave, and is recent enough to rely on now.
func (d *decider) covers(b *velerov1.Backup, rec *v1alpha1.RolloutWorkload) bool {
	return d.fresh(b) && !d.startedSince(b, rec)
}

// startedSince reports whether the workload itself started something else after the backup was created: it was let go, and
// held again with another template before anybody saw that. Its ReplicaSets tell.
func (d *decider) startedSince(b *velerov1.Backup, rec *v1alpha1.RolloutWorkload) bool {
	m := d.members[keyOf(rec)]
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
func createdSince(m *Member, hash string, b *velerov1.Backup) bool {
	first := firstCreated(m, hash)
	return !first.IsZero() && !first.Before(createdAt(b))
}

// firstCreated is when a template first started, as far as the ReplicaSets go back. A restart makes another one.
func firstCreated(m *Member, hash string) time.Time {
	var first time.Time
	for i := range m.Revisions {
		rev := &m.Revisions[i]
		if rev.Template.Hash == hash && (first.IsZero() || rev.Created.Time.Before(first)) {
			first = rev.Created.Time
		}
	}
	return first
}

// void reports whether something else of the plan started since a backup was created: it may not hold the state that the
// rollout would destroy.
func (d *decider) void(ro course, b *velerov1.Backup) bool {
	return d.voidSince(b, d.lastOtherStart(ro))
}

// voidSince says the same of a known last start. Nothing is known of what started before the plan was created: a backup
// that is left from a plan of the same name, in a namespace that was perhaps deleted since, allows nothing.
func (d *decider) voidSince(b *velerov1.Backup, lastOtherStart time.Time) bool {
	created := createdAt(b)
	if created.Before(d.plan.CreationTimestamp.Time) {
		return true
	}
	return !lastOtherStart.IsZero() && created.Before(lastOtherStart.Add(startMargin))
}

// createdAt is when a Backup was created. One that Velero found in the bucket, after its object was deleted or in
// another cluster, is a new object and an old backup: it began before it was created.
func createdAt(b *velerov1.Backup) time.Time {
	created := b.CreationTimestamp.Time
	if s := b.Status.StartTimestamp; s != nil && s.Time.Before(created.Add(-clockMargin)) {
		return s.Time
	}
	return created
}

// fresh reports whether a backup is within the recovery point objective now, when it would be relied on. One that is not over
// has not begun to age: what is asked then is whether it is worth waiting for.
func (d *decider) fresh(b *velerov1.Backup) bool {
	if velero.StateOf(b) == velero.Waiting {
		return true
	}
	return d.in.Now.Sub(beganAt(b)) <= d.objective()
}

// objective is the recovery point objective.
func (d *decider) objective() time.Duration {
	return seconds(d.plan.Spec.Objectives.RecoveryPointSeconds)
}

// tooSlow reports whether a backup took longer than the recovery point objective: it was too old to rely on before it ended,
// and the next one will be.
func (d *decider) tooSlow(b *velerov1.Backup) bool {
	end := b.Status.CompletionTimestamp
	return end != nil && end.Sub(beganAt(b)) > d.objective()
}

// beganAt is when the state was captured that a backup holds.
func beganAt(b *velerov1.Backup) time.Time {
	if b.Status.StartTimestamp != nil {
		return b.Status.StartTimestamp.Time
	}
	return b.CreationTimestamp.Time
}

func (d *decider) pastDeadline(rec *v1alpha1.RolloutWorkload) bool {
	return waiting(rec) != nil && !d.in.Now.Before(d.deadline(rec))
}

func (d *decider) deadline(rec *v1alpha1.RolloutWorkload) time.Time {
	return waiting(rec).Add(seconds(d.plan.Spec.Gate.DeadlineSeconds))
}

// waiting is since when a workload waits; nil where it was not held.
func waiting(rec *v1alpha1.RolloutWorkload) *metav1.Time {
	return cmp.Or(rec.WaitingSince, rec.HeldSince)
}

func seconds(n int32) time.Duration { return time.Duration(n) * time.Second }
