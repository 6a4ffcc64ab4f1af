// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"fmt"
	"maps"
	"slices"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/rule"
	"github.com/backstay-dr/backstay/internal/velero"
)

// createMargin is how long after the last start of anything else of the plan a backup is created, so that the rule may rely on it.
const createMargin = facts.StartMargin + time.Second

// queue are the backups under way of a plan and its namespace, but for those that this decision withdraws.
type queue struct{ withdrawn map[string]bool }

func newQueue(withdrawn []*velerov1.Backup) queue {
	q := queue{map[string]bool{}}
	for _, b := range withdrawn {
		q.withdrawn[b.Name] = true
	}
	return q
}

// urgent reports whether a rollout holds something that others wait for meanwhile. What is held for longer than its deadline
// keeps nobody else waiting, and neither does what its user paused.
func urgent(f *facts.Facts, ro records.Rollout) bool {
	return slices.ContainsFunc(ro.Workloads, func(rec v1alpha1.RolloutWorkload) bool {
		return rec.State == v1alpha1.WorkloadHeld && !f.UserPaused(&rec) && !f.PastDeadline(&rec)
	})
}

// waitBefore says what the backup of a rollout waits for before it can begin.
func waitBefore(f *facts.Facts, book *records.Book, q queue, ro records.Rollout, busy *records.Release) (rule.Wait, bool) {
	started := records.StartedUnheld(ro.Rollout)
	if busy != nil && !started {
		return rule.Wait{Reason: v1alpha1.ReasonWaitingForRollout, Message: fmt.Sprintf("release %s has its backup taken first", busy.Name)}, true
	}
	if !records.Escaped(ro.Rollout) {
		if name := q.behind(f, book, ro); name != "" {
			message := fmt.Sprintf("backup %s of the same plan is taken first", name)
			return rule.Wait{Reason: v1alpha1.ReasonWaitingForRollout, Message: message, Until: firstStuck(f)}, true
		}
	}
	if w, waits := waitForShare(f, book, q, ro); waits {
		return w, true
	}
	if at := rule.LastOtherStart(f, book, ro).Add(createMargin); f.Now.Before(at) && (records.Holds(ro.Rollout) || !started) {
		const message = "the backup begins a moment after the last start of a workload of this plan"
		return rule.Wait{Reason: v1alpha1.ReasonBackupPending, Message: message, Until: at}, true
	}
	if f.LocationProblem != "" {
		return rule.Wait{Reason: v1alpha1.ReasonStorageLocationUnavailable, Message: f.LocationProblem}, true
	}
	return rule.Wait{}, false
}

// behind names the backup of the plan that a rollout waits for before its own. Velero takes its backups in turn, for everybody:
// a plan has one of a rollout that is urgent under way and one of another, whatever its users announce, pause, or let wait.
// What escaped comes on top.
func (q queue) behind(f *facts.Facts, book *records.Book, ro records.Rollout) string {
	const most = 2
	underWay := q.urgencies(f, book, ro)
	names := slices.Sorted(maps.Keys(underWay))
	switch i := slices.IndexFunc(names, func(name string) bool { return !underWay[name] }); {
	case len(names) >= most:
		return names[0]
	case i >= 0 && !urgent(f, ro):
		return names[i]
	default:
		return ""
	}
}

// StuckAfter is when a backup under way keeps no other of its plan waiting any more: Velero may never end it.
const StuckAfter = time.Hour

// firstStuck is when the first of the plan's backups under way is taken for one that Velero never ends.
func firstStuck(f *facts.Facts) time.Time {
	var first time.Time
	for _, b := range f.Backups {
		if velero.StateOf(b) == velero.Waiting {
			first = f.Sooner(first, b.CreationTimestamp.Add(StuckAfter))
		}
	}
	return first
}

// urgencies are the backups under way but for that of a rollout, each with whether one that is urgent waits for it.
func (q queue) urgencies(f *facts.Facts, book *records.Book, ro records.Rollout) map[string]bool {
	out := map[string]bool{}
	for name, b := range f.Backups {
		stuck := !f.Now.Before(b.CreationTimestamp.Add(StuckAfter))
		if velero.StateOf(b) == velero.Waiting && !stuck && !q.withdrawn[name] {
			out[name] = false
		}
	}
	for other := range book.Rollouts() {
		if other.Backup == nil {
			continue
		}
		_, waits := out[other.Backup.Name]
		if waits || records.IsOpen(other.Rollout) && other.Backup.Phase == "" && f.Backups[other.Backup.Name] == nil {
			out[other.Backup.Name] = out[other.Backup.Name] || urgent(f, other)
		}
	}
	if ro.Backup != nil {
		delete(out, ro.Backup.Name)
	}
	return out
}

// MaxUnderWay is how many backups of one namespace are under way at a time, whatever its plans: Velero takes its backups in
// turn, for everybody.
const MaxUnderWay = 4

// askAgain is when a rollout that waits for the others of its namespace looks again at the latest. The end of a backup wakes
// it; two that end in the same moment may not.
const askAgain = time.Minute

// waitForShare reports whether a rollout waits since it is not this plan's turn: all its workloads are managed by other plans and back
// them up, or too many backups of the namespace are under way.
func waitForShare(f *facts.Facts, book *records.Book, q queue, ro records.Rollout) (rule.Wait, bool) {
	if records.IsAhead(ro.Rollout) && facts.MovesNothing(f) {
		const message = "all its workloads are managed by other plans, which back them up: announce the rollout on a release of one of those"
		return rule.Wait{Reason: v1alpha1.ReasonOverlappingPlans, Message: message}, true
	}
	if n := q.underWay(f, book, ro); n >= MaxUnderWay {
		message := fmt.Sprintf("%d backups of this namespace are under way, and at most %d may be", n, MaxUnderWay)
		return rule.Wait{Reason: v1alpha1.ReasonWaitingForRollout, Message: message, Until: f.Now.Add(askAgain)}, true
	}
	return rule.Wait{}, false
}

// underWay counts the backups under way of the namespace, but for that of a rollout.
func (q queue) underWay(f *facts.Facts, book *records.Book, ro records.Rollout) int {
	names := map[string]bool{}
	for name := range q.urgencies(f, book, ro) {
		names[name] = true
	}
	for name := range f.UnderWay {
		if own := ro.Backup != nil && ro.Backup.Name == name; !own && !q.withdrawn[name] {
			names[name] = true
		}
	}
	return len(names)
}
