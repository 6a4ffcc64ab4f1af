// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package facts

import (
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/workload"
)

// Member is a workload that a plan selects, holds, or has in an open rollout.
type Member struct {
	workload.View

	// Selected says that the plan's labels match it, or that the plan holds it: what is held leaves no plan by losing
	// its labels before it has started.
	Selected bool

	// Driver says that this plan, of all that select it, is the one that moves it.
	Driver bool

	// SharedWith names the other plans that select it too.
	SharedWith []string
}

// Input is everything that is observed of one plan.
type Input struct {
	Now time.Time

	// Cluster is the UID of its namespace kube-system.
	Cluster string

	// Namespace and Name of the plan.
	Namespace string
	Name      string

	// Plan is nil when there is none of that name (any more).
	Plan *v1alpha1.DRPlan

	// Members by name.
	Members []Member

	// Left are the revisions that workloads which the plan remembers left behind when they were deleted: nobody adopted them yet.
	Left map[LeftRevision]bool

	// Releases of the plan, oldest first.
	Releases []*v1alpha1.AppRelease

	// Backups of the plan by name.
	Backups map[string]*velerov1.Backup

	// UnderWay names the backups of the namespace that are not over, of whatever plan, but for those that Velero seems to
	// have forgotten: see StuckAfter.
	UnderWay map[string]bool

	// LocationProblem tells why the plan's storage location cannot take a backup now; "" when it can.
	LocationProblem string

	// VeleroSilentSince is when Velero last gave a sign of life, where that is too long ago; zero while it runs, or where
	// nothing tells.
	VeleroSilentSince time.Time

	// Terminating says that the namespace is going away: nothing is begun in it any more.
	Terminating bool
}

// LeftRevision identifies a revision by its name and the kind of its workload: a ReplicaSet and a ControllerRevision may have the
// same name.
type LeftRevision struct {
	Group string
	Kind  v1alpha1.WorkloadKind
	Name  string
}

// LeftBy identifies the revision that a plan remembers of a workload.
func LeftBy(w *v1alpha1.PlanWorkload) LeftRevision { return LeftRevision{w.Group, w.Kind, w.Revision} }
