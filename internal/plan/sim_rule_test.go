// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"fmt"
	"slices"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	appsv1 "k8s.io/api/apps/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/plan"
	"github.com/backstay-dr/backstay/internal/velero"
)

// checkStart is the release rule as design.md states it, judged by what really happened and not by what operators
// recorded. seen is what the operator saw: what happened after it, nobody can hold against it. It returns why a held
// workload must not be let go; "" when it may.
func (w *world) checkStart(seen state, planName string, s *plan.Start) string {
	d, p := seen.deployments[s.Workload.Name], seen.plans[planName]
	switch {
	case d.Generation <= 1:
		return "it was created as it is held, by a restore: what it holds is the change that was to be held"
	case p == nil:
		return w.checkAbandoned(seen, planName, s)
	case p.Spec.Gate.Mode != v1alpha1.GateModeHold:
		return ""
	case w.truth.running[d.UID] == hashOf(d), len(seen.setsOf(d)) == 0, w.turnedBack(seen, d):
		return "" // a revert, or nothing runs at all: nothing is replaced
	case p.Spec.Gate.OnDeadline == v1alpha1.DeadlineRelease && w.heldFor(s) >= time.Duration(p.Spec.Gate.DeadlineSeconds)*time.Second:
		return ""
	case s.Backup == "":
		return "no backup, and no other reason that is one"
	case s.Workload.UserPaused:
		return "its user paused it: nothing would start, and later nobody asks again"
	}
	return w.checkBackup(seen, p, s)
}

// checkAbandoned: what a plan held that is gone is let go, unless another plan of this namespace selects it.
func (w *world) checkAbandoned(seen state, planName string, s *plan.Start) string {
	for name, other := range seen.plans {
		if name != planName && selects(other, seen.deployments[s.Workload.Name]) {
			return "plan " + name + " holds it too"
		}
	}
	return ""
}

func (w *world) heldFor(s *plan.Start) time.Duration {
	const clocks = 2 * time.Second
	return w.now.Sub(w.truth.heldAt[s.Workload.UID]) + clocks
}

// checkBackup: the backup is Completed, of this namespace, and nothing has changed under it.
func (w *world) checkBackup(seen state, p *v1alpha1.DRPlan, s *plan.Start) string {
	b, fact := seen.backups[s.Backup], w.truth.backups[s.Backup]
	version := versionOf(seen.deployments[s.Workload.Name])
	switch {
	case b == nil || fact == nil:
		return "there is no backup " + s.Backup
	case b.Status.Phase != velerov1.BackupPhaseCompleted || b.Status.FailureReason != "":
		return fmt.Sprintf("backup %s is %s %s", b.Name, b.Status.Phase, b.Status.FailureReason)
	case !slices.Equal(b.Spec.IncludedNamespaces, []string{ns}):
		return fmt.Sprintf("backup %s is of %v", b.Name, b.Spec.IncludedNamespaces)
	case fact.created.Before(p.CreationTimestamp.Time):
		return "backup " + b.Name + " is from before the plan"
	}
	held, objective := w.truth.heldAt[s.Workload.UID], time.Duration(p.Spec.Objectives.RecoveryPointSeconds)*time.Second
	if held.Sub(fact.began) > objective+2*time.Second {
		return fmt.Sprintf("backup %s began %s before the hold", b.Name, held.Sub(fact.began))
	}
	for _, e := range w.truth.started[:seen.known] {
		still := seen.deployments[e.workload]
		if e.at.Before(fact.created) || !slices.Contains(e.plans, p.Name) {
			continue
		}
		if e.traceless || still == nil || still.UID != e.uid {
			continue // of this nothing can be seen any more
		}
		sameRollout := e.version == version && e.uid != s.Workload.UID && (e.backup == s.Backup || !w.isOf(e.backup, p))
		ownBypass := e.adopted && e.uid == s.Workload.UID && e.version == version // recorded as an escape, whatever admits the rest
		if !sameRollout && !ownBypass {
			return fmt.Sprintf("%s %s started %s after backup %s was created", e.workload, e.version, e.at.Sub(fact.created), b.Name)
		}
	}
	return w.checkCreated(seen, p, s, fact)
}

// turnedBack reports whether what a Deployment asks for has pods still, and is on its way out only since something started
// while no plan selected it.
func (w *world) turnedBack(seen state, d *appsv1.Deployment) bool {
	for i := range w.truth.started {
		if e := &w.truth.started[len(w.truth.started)-1-i]; e.uid == d.UID {
			return len(e.plans) == 0 && slices.ContainsFunc(seen.setsOf(d), func(set *appsv1.ReplicaSet) bool {
				return *set.Spec.Replicas > 0 && set.Spec.Template.Spec.Containers[0].Image == d.Spec.Template.Spec.Containers[0].Image
			})
		}
	}
	return false
}

// isOf reports whether a backup is of a plan, and of no other that selects the same workloads.
func (w *world) isOf(backup string, p *v1alpha1.DRPlan) bool {
	b := w.backups[backup]
	return b != nil && b.Labels[v1alpha1.LabelPlan] == p.Name
}

// checkTogether: what one decision starts is of one rollout, or else the first start voids the backups of the others.
func checkTogether(s *plan.Start, before []plan.Start) string {
	for i := range before {
		if other := &before[i]; s.Backup != "" && other.Reason != plan.StartReverted && other.Backup != s.Backup {
			return fmt.Sprintf("%s is let go in the same decision, by %q", other.Workload.Name, other.Backup)
		}
	}
	return ""
}

// checkCreated: no workload of another version is younger than the backup, and neither is the one that starts.
func (w *world) checkCreated(seen state, p *v1alpha1.DRPlan, s *plan.Start, backup *backupFact) string {
	version := versionOf(seen.deployments[s.Workload.Name])
	for _, d := range seen.deployments {
		v := view(d)
		own := d.UID != s.Workload.UID && versionOf(d) == version && !v.Held()
		if selects(p, d) && !own && d.CreationTimestamp.After(backup.created) {
			return fmt.Sprintf("%s was created %s after the backup", d.Name, d.CreationTimestamp.Sub(backup.created))
		}
	}
	return ""
}

// checkLabels: a Completed backup that names a version captured that version and no other. Nobody looks after the
// backups of a plan that is gone.
func (w *world) checkLabels() {
	for _, name := range sorted(w.backups) {
		b, fact := w.backups[name], w.truth.backups[name]
		version := b.Annotations[v1alpha1.AnnotationVersion]
		if version == "" || velero.StateOf(b) != velero.Completed || w.plans[b.Labels[v1alpha1.LabelPlan]] == nil {
			continue
		}
		for captured := range fact.captured {
			if captured != version {
				w.Errorf("backup %s is labelled %s and captured %v", name, version, sorted(fact.captured))
			}
		}
		if b.Labels[v1alpha1.LabelVersion] != version || b.Labels[v1alpha1.LabelMixed] != "" {
			w.Errorf("backup %s of version %s has labels %v", name, version, b.Labels)
		}
	}
}
