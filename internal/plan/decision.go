// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/ledger"
	"github.com/backstay-dr/backstay/internal/workload"
)

// Decision is what to write, in the order of its fields. Where Starts and Statuses are both present and WriteAhead is
// false, the statuses can wait: the workload's own change leads to the next decision, which writes them.
type Decision struct {
	// Plan is the wanted status of the plan, where it differs from what is stored. It tells of nothing that the releases do not
	// tell yet: what it remembers must not outlive a record that was refused.
	Plan *v1alpha1.DRPlanStatus

	// PlanSettles says that the plan's status is about to change again, by what this decision or the next has written: it
	// can wait for that unless something is refused.
	PlanSettles bool

	// Create lists releases that do not exist yet. Their status is in Statuses.
	Create []*v1alpha1.AppRelease

	// Statuses are the wanted statuses of releases, by name, where they differ from what is stored.
	Statuses map[string]*v1alpha1.AppReleaseStatus

	// WriteAhead says that Statuses hold what a crash must not lose before Backups and Starts are carried out.
	WriteAhead bool

	// Backups to create in Velero's namespace.
	Backups []*velerov1.Backup

	// Withdraw are Backups that nobody waits for any more and that Velero has not begun.
	Withdraw []*velerov1.Backup

	// Prune are releases to delete, beyond the plan's limit.
	Prune []*v1alpha1.AppRelease

	// Relabel names Backups that captured no single version after all.
	Relabel []string

	// Touch names Backups that Velero has forgotten.
	Touch []string

	// Starts are held workloads to release.
	Starts []Start

	// Restored are held workloads that a restore brought back, and no plan: they wait for a person, and nothing else tells
	// of them.
	Restored []workload.View

	// Remark are workloads that the plan holds, and whose mark somebody removed or names another plan.
	Remark []workload.View

	// Escapes are starts that nobody admitted and that Statuses record for the first time. Whoever writes them looks at the
	// API server first.
	Escapes []ledger.Escape

	// Lost names Backups that Statuses record as gone. Whoever writes them looks at the API server first.
	Lost []string

	// Fail are Backups whose attempt is recorded as failed, and that do not say so themselves, with when it was recorded.
	Fail map[string]time.Time

	// Clean are workloads that carry a mark that means nothing any more.
	Clean []workload.View

	// Explain are held workloads that do not say yet why they are held.
	Explain []Explanation

	// RequeueAfter is when time alone changes the decision; 0 for never.
	RequeueAfter time.Duration
}

// StartReverted: its template is the one that was last admitted.
const StartReverted = "Reverted"

// StartPlanDeleted: the plan that held it is gone.
const StartPlanDeleted = "PlanDeleted"

// Start is a held workload to release.
type Start struct {
	Workload workload.View

	// Reason is a v1alpha1.StartReason, or one of the constants above.
	Reason string

	// Release and Rollout that it belongs to, and the Backup that allows it, where there are any.
	Release string
	Rollout int32
	Backup  string

	// Since is since when it was held; zero where that was not recorded.
	Since time.Time
}

// Admission is the record of it, for the plan that held the workload.
func (s Start) Admission(plan string, now time.Time) workload.Admission {
	return workload.Admission{Plan: plan, Reason: s.Reason, Release: s.Release, Rollout: s.Rollout, Backup: s.Backup, Time: now}
}

// ByPlan reports whether nothing but the plan allows it: its mode, its deadline, or that it is gone.
func (s Start) ByPlan() bool {
	switch s.Reason {
	case StartPlanDeleted, string(v1alpha1.StartModeChanged), string(v1alpha1.StartDeadlinePassed):
		return true
	default:
		return false
	}
}
