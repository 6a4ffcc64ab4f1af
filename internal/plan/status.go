// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/drift"
	"github.com/backstay-dr/backstay/internal/velero"
)

// Status derives the status of a plan, and after what time it changes by itself; 0 for never.
func Status(in Input, gate GateFinding) (v1alpha1.DRPlanStatus, time.Duration) {
	d := newDecider(in)
	s := in.Plan.Status.DeepCopy()
	s.ObservedGeneration = in.Plan.Generation
	s.GateProof = gate.Proof
	set := conditionSetter{&s.Conditions, s.ObservedGeneration, d.now}
	set.set(gate.Condition)
	if gate.RetryAfter > 0 {
		d.wake(in.Now.Add(gate.RetryAfter))
	}
	if !tooMany(in.Members) {
		d.recordWorkloads(s)
		d.recordHeld(s)
	}
	running := d.runningVersions()
	s.Versions.Planned = in.Plan.Spec.Version
	s.Versions.Running = drift.Summary(drift.Distinct(running))
	set.set(d.drifted(running))
	d.recordProtection(s, set)
	set.set(notImplemented(v1alpha1.ConditionCovered, "whether every volume is in the backups is not checked by this version of Backstay"))
	set.set(notImplemented(v1alpha1.ConditionProven, "this version of Backstay runs no restore drills"))
	ready, stalled := d.planReady(s)
	set.set(ready)
	set.whileTrue(v1alpha1.ConditionReconciling, gate.Condition.Reason == v1alpha1.ReasonProbeNotHeld, gate.Condition.Reason, gate.Condition.Message)
	set.whileTrue(v1alpha1.ConditionStalled, stalled, ready.Reason, ready.Message)
	return *s, d.out.RequeueAfter
}

func notImplemented(conditionType, message string) metav1.Condition {
	return metav1.Condition{Type: conditionType, Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonNotImplemented, Message: message}
}

func (d *decider) runningVersions() []drift.Version {
	var out []drift.Version
	for _, m := range d.sortedMembers() {
		if m.Selected {
			out = append(out, d.running(m))
		}
	}
	return out
}

// drifted is the Drifted condition.
func (d *decider) drifted(running []drift.Version) metav1.Condition {
	planned := d.plan.Spec.Version
	f := drift.Compare(planned, d.plan.Spec.VersionPolicy, running)
	runs := drift.Summary(drift.Distinct(running))
	message := map[string]string{
		v1alpha1.ReasonNoWorkloads:    "no workload carries the labels of spec.workloads.matchLabels",
		v1alpha1.ReasonVersionUnknown: "not every workload tells its version: label its pod template app.kubernetes.io/version",
		v1alpha1.ReasonMixedVersions:  "the workloads run several versions: " + runs,
		v1alpha1.ReasonNothingPlanned: "the plan names no version and none is proven yet: set spec.version",
		v1alpha1.ReasonInSync:         fmt.Sprintf("planned %s, running %s", planned, runs),
		v1alpha1.ReasonVersionBehind:  fmt.Sprintf("the plan was written for %s, and %s runs: review the plan and set spec.version", planned, runs),
		v1alpha1.ReasonVersionAhead:   fmt.Sprintf("the plan was written for %s, and only %s runs: roll out %s, or set spec.version back", planned, runs, planned),
		v1alpha1.ReasonVersionDiffers: fmt.Sprintf("the plan was written for %s, and %s runs: review the plan and set spec.version", planned, runs),
	}[f.Reason]
	return metav1.Condition{Type: v1alpha1.ConditionDrifted, Status: f.Status, Reason: f.Reason, Message: bound(message)}
}

// recordWorkloads keeps the revision of each workload that was last let through. A change that the releases have not
// recorded yet is left standing against the old entry: that is how it is found.
func (d *decider) recordWorkloads(s *v1alpha1.DRPlanStatus) {
	s.Workloads = nil
	for _, m := range d.sortedMembers() {
		if !m.Selected {
			continue
		}
		w := d.planWorkloadNow(m)
		if d.startedUnrecorded(m, w) {
			s.LastStart = &v1alpha1.LastStart{Time: d.now, Version: w.Version}
		}
		s.Workloads = append(s.Workloads, w)
	}
	d.recordLastStart(s)
}

// startedUnrecorded says whether a workload started something that no release tells of: while the gate was Off. A
// backup from before does not hold it.
func (d *decider) startedUnrecorded(m *Member, w v1alpha1.PlanWorkload) bool {
	old := planWorkload(d.plan, m)
	if old == nil || old.TemplateHash == "" || old.TemplateHash == w.TemplateHash {
		return false
	}
	rec, _ := lastStarted(m, d.releases)
	return rec == nil || rec.TemplateHash != w.TemplateHash
}

func (d *decider) planWorkloadNow(m *Member) v1alpha1.PlanWorkload {
	w := v1alpha1.PlanWorkload{Kind: m.Kind, Name: m.Name, UID: string(m.UID)}
	let, known := d.lastLetThrough(m)
	old := planWorkload(d.plan, m)
	switch {
	case known && let.hash == m.Template.Hash && !m.Held(), !m.Paused && d.accounted(m, old):
		v := d.versionOf(m)
		w.Version, w.VersionSource, w.TemplateHash = v.Value, v.Source, m.Template.Hash
	case known:
		w.Version, w.VersionSource, w.TemplateHash = let.version.Value, let.version.Source, let.hash
	default:
		if r, ok := soleRevision(m); ok {
			v := drift.Resolve(r.Template, nil, d.in.Releases)
			w.Version, w.VersionSource, w.TemplateHash = v.Value, v.Source, r.Template.Hash
		}
	}
	return w
}

// accounted says whether what a workload runs needs no rollout to account for it: it is seen for the first time, or
// nobody asked for more.
func (d *decider) accounted(m *Member, old *v1alpha1.PlanWorkload) bool {
	rec, _ := lastStarted(m, d.releases)
	first := rec == nil && (old == nil || old.TemplateHash == "")
	return first || d.mode() == v1alpha1.GateModeOff || !m.Driver
}

// recordLastStart remembers the newest start, should its release be deleted.
func (d *decider) recordLastStart(s *v1alpha1.DRPlanStatus) {
	for _, r := range d.releases {
		for i := range r.status.Rollouts {
			ro := &r.status.Rollouts[i]
			if ro.ReleasedTime == nil || s.LastStart != nil && ro.ReleasedTime.Before(&s.LastStart.Time) {
				continue
			}
			s.LastStart = &v1alpha1.LastStart{Time: *ro.ReleasedTime, Version: r.Spec.Version, Rollout: ro.Number}
		}
	}
}

// recordHeld lists what is held now, and what it waits for.
func (d *decider) recordHeld(s *v1alpha1.DRPlanStatus) {
	s.Held = nil
	for _, m := range d.sortedMembers() {
		if !m.Held() || !m.Selected {
			continue
		}
		h := v1alpha1.HeldWorkload{Kind: m.Kind, Name: m.Name, Version: d.versionOf(m).Value, Reason: v1alpha1.ReasonBackupPending}
		if r, _, rec := d.heldRecord(m); rec != nil {
			h.Release, h.Since = r.Name, rec.HeldSince
			if rec.HeldSince != nil {
				until := metav1.NewTime(d.deadline(rec))
				h.Until = &until
			}
			if ready := meta.FindStatusCondition(r.status.Conditions, v1alpha1.ConditionReady); ready != nil {
				h.Reason = ready.Reason
			}
		}
		s.Held = append(s.Held, h)
	}
	s.HeldCount = int32(len(s.Held))
}

// recordProtection finds the newest backup that protects a version, and measures it by the recovery point objective.
// The recovery point is when the backup began: what was written later is not in it for sure.
func (d *decider) recordProtection(s *v1alpha1.DRPlanStatus, set conditionSetter) {
	c := metav1.Condition{Type: v1alpha1.ConditionProtected, Status: metav1.ConditionFalse}
	b := newestProtecting(d.in)
	if b == nil {
		s.LastBackup, s.Versions.Protected = nil, ""
		c.Reason, c.Message = v1alpha1.ReasonNoBackup, "no backup protects a version yet: the next rollout takes one, or create an AppRelease with intent Deploy"
		set.set(c)
		return
	}
	version := b.Annotations[v1alpha1.AnnotationVersion]
	s.Versions.Protected = version
	s.LastBackup = &v1alpha1.LastBackup{
		Name: b.Name, Version: version, StartTime: *b.Status.StartTimestamp, CompletionTime: *b.Status.CompletionTimestamp,
	}
	objective := seconds(d.plan.Spec.Objectives.RecoveryPointSeconds)
	expires := b.Status.StartTimestamp.Add(objective)
	if d.in.Now.Before(expires) {
		d.wake(expires)
		c.Status, c.Reason = metav1.ConditionTrue, v1alpha1.ReasonWithinObjective
		c.Message = fmt.Sprintf("backup %s of version %s is within the recovery point objective of %s until %s",
			b.Name, version, objective, expires.UTC().Format(time.RFC3339))
	} else {
		c.Reason = v1alpha1.ReasonBackupTooOld
		c.Message = fmt.Sprintf("backup %s of version %s is older than the recovery point objective of %s: "+
			"create an AppRelease with intent Deploy to take another", b.Name, version, objective)
	}
	set.set(c)
}

func newestProtecting(in Input) *velerov1.Backup {
	var newest *velerov1.Backup
	for _, b := range in.Backups {
		if velero.StateOf(b) != velero.Completed || b.Annotations[v1alpha1.AnnotationVersion] == "" ||
			b.Status.StartTimestamp == nil || b.Status.CompletionTimestamp == nil {
			continue
		}
		if newest == nil || cmp.Or(newest.Status.StartTimestamp.Compare(b.Status.StartTimestamp.Time), cmp.Compare(newest.Name, b.Name)) < 0 {
			newest = b
		}
	}
	return newest
}

// planReady is the Ready condition of a plan, and whether nothing changes before a person acts.
func (d *decider) planReady(s *v1alpha1.DRPlanStatus) (metav1.Condition, bool) {
	c := metav1.Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse}
	if tooMany(d.in.Members) {
		c.Reason = v1alpha1.ReasonTooManyWorkloads
		c.Message = fmt.Sprintf("the plan selects more than %d workloads; what is held stays held: split it into plans of fewer workloads", v1alpha1.MaxWorkloads)
		return c, true
	}
	if text := overlap(d.in.Members); text != "" {
		c.Reason, c.Message = v1alpha1.ReasonOverlappingPlans, text
		return c, false
	}
	if r := d.unprotectedEscape(); r != nil {
		c.Reason = v1alpha1.ReasonEscaped
		c.Message = fmt.Sprintf("a rollout of %s started without having been held; its backup is not Completed yet: see AppRelease %s", r.Spec.Version, r.Name)
		return c, false
	}
	for _, h := range s.Held {
		if h.Reason == v1alpha1.ReasonBackupFailed {
			c.Reason = v1alpha1.ReasonBackupFailed
			c.Message = fmt.Sprintf("%s is held and every attempt at its backup failed: see AppRelease %s", h.Name, h.Release)
			return c, false
		}
	}
	c.Status, c.Reason, c.Message = metav1.ConditionTrue, v1alpha1.ReasonReconciled, heldText(s.Held)
	return c, false
}

func heldText(held []v1alpha1.HeldWorkload) string {
	if len(held) == 0 {
		return "nothing is held"
	}
	h := held[0]
	text := fmt.Sprintf("%s waits for the backup of release %s (%s)", h.Name, h.Release, h.Reason)
	if h.Release == "" {
		text = h.Name + " was held just now"
	}
	if more := len(held) - 1; more > 0 {
		text = fmt.Sprintf("%s, and %d more", text, more)
	}
	return text
}

// overlap tells which workloads are selected by other plans too.
func overlap(members []Member) string {
	const limit = 3
	var shared []string
	for i := range members {
		if m := &members[i]; m.Selected && len(m.SharedWith) > 0 {
			shared = append(shared, fmt.Sprintf("%s (also in %s)", m.Name, strings.Join(m.SharedWith, ", ")))
		}
	}
	if len(shared) == 0 {
		return ""
	}
	more := ""
	if n := len(shared) - limit; n > 0 {
		shared, more = shared[:limit], fmt.Sprintf(" and %d more", n)
	}
	return bound(fmt.Sprintf("workloads are selected by several plans: %s%s. Narrow spec.workloads.matchLabels, so that each belongs to one plan",
		strings.Join(shared, ", "), more))
}

// unprotectedEscape finds a release of which something escaped, and whose backup is not Completed.
func (d *decider) unprotectedEscape() *release {
	for _, r := range d.primaries() {
		if len(r.status.Rollouts) > 0 && open(&r.status.Rollouts[0]) && escaped(&r.status.Rollouts[0]) &&
			phaseOf(&r.status.Rollouts[0]) != string(velerov1.BackupPhaseCompleted) {
			return r
		}
	}
	return nil
}
