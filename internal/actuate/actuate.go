// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package actuate carries out decisions. It is the only writer, and whatever it does can be done again.
package actuate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/plan"
	"github.com/backstay-dr/backstay/internal/status"
	"github.com/backstay-dr/backstay/internal/telemetry"
	"github.com/backstay-dr/backstay/internal/velero"
)

// Actuator carries out decisions.
type Actuator struct {
	Client client.Client

	// Live reads from the API server, for the rare moment when the cache is behind.
	Live client.Reader

	// VeleroNamespace is where Backups are created.
	VeleroNamespace string

	Events  telemetry.Events
	Metrics *telemetry.Metrics
	Now     func() time.Time

	replacedPlans, replacedReleases, replacedWorkloads Replaced

	released released
	created  created
}

// Behind reports whether an input shows a plan or a release whose status was written since, or a workload that was released since, or one
// that is held again and not yet what started in between: a start that is not seen would let another one rely on a backup
// that it voids.
func (a *Actuator) Behind(in facts.Input) bool {
	behind := in.Plan != nil && a.replacedPlans.Shows(in.Plan)
	for _, r := range in.Releases {
		behind = a.replacedReleases.Shows(r) || behind
	}
	for i := range in.Members {
		v := &in.Members[i].View
		behind = a.replacedWorkloads.showsWorkload(v) || a.released.unseen(v, a.Now()) || behind
	}
	return behind
}

// Apply carries out a decision in the order that a crash at any point is harmless in: what must not be lost is written
// before what relies on it. What was decided on a stale cache is dropped as a whole. What the API server refuses keeps nothing
// waiting but what relies on it: the next decision asks for it again.
//
// The status of the plan is what people look at, and rests on nothing that this decision records. It comes first, unless something
// is about to start; where it is about to change again it is written only if something was refused.
func (a *Actuator) Apply(ctx context.Context, in facts.Input, d plan.Decision) error {
	var refused error
	if len(d.Starts) == 0 && !d.PlanSettles {
		if refused = a.writePlan(ctx, in, &d); apierrors.IsConflict(refused) {
			return refused
		}
	}
	if err := a.confirm(ctx, in, d); err != nil {
		return err
	}
	if len(d.Starts) > 0 && !d.WriteAhead && len(d.Backups) == 0 {
		err := a.startAll(ctx, in.Name, d.Starts)
		if err == nil || apierrors.IsConflict(err) {
			return err
		}
		refused, d.Starts = err, nil
	}
	err := a.applyRecorded(ctx, in, d)
	if apierrors.IsConflict(err) {
		return err
	}
	if err = errors.Join(refused, err); err != nil || !d.PlanSettles {
		err = errors.Join(err, a.writePlan(ctx, in, &d))
	}
	return err
}

// applyRecorded records what a decision does, and does it.
func (a *Actuator) applyRecorded(ctx context.Context, in facts.Input, d plan.Decision) error {
	unrecorded, named, err := a.record(ctx, in, d)
	if apierrors.IsConflict(err) {
		return err
	}
	errs := []error{err}
	if err = a.createBackups(ctx, in, d, unrecorded); apierrors.IsConflict(err) {
		return err
	}
	errs = append(errs, err, a.markBackups(ctx, d))
	if err = a.withdraw(ctx, d.Withdraw); apierrors.IsConflict(err) {
		return err
	}
	errs = append(errs, err)
	d.Starts = slices.DeleteFunc(d.Starts, func(s plan.Start) bool { return unrecorded[s.Release] })
	rename(d.Starts, named)
	errs = append(errs, a.startAll(ctx, in.Name, d.Starts), a.prune(ctx, d.Prune))
	for i := range d.Restored {
		a.Events.Restored(&d.Restored[i])
	}
	return errors.Join(append(errs, a.markWorkloads(ctx, in, d, len(unrecorded) == 0))...)
}

// writePlan updates the status of the plan, once, on the version of it that the decision was made on.
func (a *Actuator) writePlan(ctx context.Context, in facts.Input, d *plan.Decision) error {
	if d.Plan == nil {
		return nil
	}
	changed := in.Plan.DeepCopy()
	changed.Status, d.Plan = *d.Plan, nil
	err := a.Client.Status().Update(ctx, changed)
	if apierrors.IsNotFound(err) {
		return stale(v1alpha1.GroupVersion.WithResource("drplans"), in.Name)
	}
	if err != nil {
		return fmt.Errorf("status of DRPlan %s: %w", in.Name, err)
	}
	a.replacedPlans.Note(in.Plan, changed)
	return nil
}

// record makes the releases that do not exist yet and writes the statuses that differ. It returns the names of the releases
// of which that was refused, and what those are named that it created, by the names of the decision.
func (a *Actuator) record(
	ctx context.Context, in facts.Input, d plan.Decision,
) (unrecorded map[string]bool, named map[string]string, err error) {
	stored, unrecorded, named := map[string]*v1alpha1.AppRelease{}, map[string]bool{}, map[string]string{}
	for _, r := range in.Releases {
		stored[r.Name] = r
	}
	var errs []error
	for _, r := range d.Create {
		created, err := a.createRelease(ctx, r)
		switch {
		case err == nil:
			stored[r.Name], named[r.Name] = created, created.Name
			continue
		case apierrors.IsConflict(err):
			return nil, nil, err
		case in.Plan != nil && !Terminating(err):
			a.Events.NotRecorded(in.Plan, err)
		}
		unrecorded[r.Name], errs = true, append(errs, err)
	}
	for _, name := range slices.Sorted(maps.Keys(d.Statuses)) {
		if unrecorded[name] {
			continue
		}
		if err := a.writeStatus(ctx, in, stored[name], d.Statuses[name]); err != nil {
			if apierrors.IsConflict(err) {
				return nil, nil, err
			}
			unrecorded[name], errs = true, append(errs, err)
		}
	}
	return unrecorded, named, errors.Join(errs...)
}

// writeStatus updates the status of a release, on the version of the object that the decision was made on, and tells what
// changed.
func (a *Actuator) writeStatus(ctx context.Context, in facts.Input, base *v1alpha1.AppRelease, wanted *v1alpha1.AppReleaseStatus) error {
	changed := base.DeepCopy()
	changed.Status = *wanted
	err := a.Client.Status().Update(ctx, changed)
	if apierrors.IsNotFound(err) {
		err = apierrors.NewConflict(v1alpha1.GroupVersion.WithResource("appreleases").GroupResource(), base.Name, err)
	}
	if err != nil {
		return fmt.Errorf("status of AppRelease %s: %w", base.Name, err)
	}
	a.replacedReleases.Note(base, changed)
	a.Events.Transitions(in, changed, status.Transitions(changed, &base.Status, wanted))
	a.Metrics.Transitions(&base.Status, wanted)
	a.tellFailures(ctx, in, &base.Status, wanted)
	return nil
}

// tellFailures passes on what Velero says of the backups that failed, to whoever administers it: in the log, and by an event
// on the Backup. Tenants read neither.
func (a *Actuator) tellFailures(ctx context.Context, in facts.Input, from, to *v1alpha1.AppReleaseStatus) {
	for _, ended := range status.EndedBackups(from, to) {
		b := in.Backups[ended.Name]
		if b == nil || velero.StateOf(b) != velero.Failed {
			continue
		}
		text := cmp.Or(velero.FailureText(b), "Velero gives no reason")
		log.FromContext(ctx).Info("A backup failed", "backup", b.Name, "phase", ended.Phase, "attempt", ended.Attempt, "reason", text)
		a.Events.BackupFailed(b, fmt.Sprintf("%s: %s", ended.Phase, text))
	}
}

// createBackups creates the Backups of the releases that are recorded.
func (a *Actuator) createBackups(ctx context.Context, in facts.Input, d plan.Decision, unrecorded map[string]bool) error {
	without := map[string]bool{}
	for _, r := range slices.Concat(in.Releases, d.Create) {
		if unrecorded[r.Name] {
			without[r.Spec.Version] = true
		}
	}
	var errs []error
	for _, b := range d.Backups {
		if without[b.Annotations[v1alpha1.AnnotationReleaseVersion]] {
			continue
		}
		err := a.createBackup(ctx, in, b)
		if apierrors.IsConflict(err) {
			return err
		}
		if err != nil && in.Plan != nil {
			a.Events.NotBackedUp(in.Plan, err)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// createBackup creates a Backup. One that exists under its name is the same, since the name tells everything about it.
func (a *Actuator) createBackup(ctx context.Context, in facts.Input, b *velerov1.Backup) error {
	if a.created.justNow(b.Name, a.Now()) {
		return apierrors.NewConflict(velerov1.SchemeGroupVersion.WithResource("backups").GroupResource(), b.Name,
			errors.New("it was created a moment ago, and the cache does not show it"))
	}
	if !a.created.reserve(b, in, a.Now()) {
		return apierrors.NewConflict(velerov1.SchemeGroupVersion.WithResource("backups").GroupResource(), b.Name,
			errors.New("others of its namespace were created first"))
	}
	b.Namespace = a.VeleroNamespace
	err := a.Client.Create(ctx, b)
	if err != nil {
		a.created.forget(b.Name)
	}
	if err == nil {
		log.FromContext(ctx).Info("Created a backup", "backup", b.Name)
		return nil
	}
	if Terminating(err) {
		return fmt.Errorf("create Backup %s: %s", b.Name, err.Error()) // of Velero's namespace, and not that of the plan
	}
	if !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create Backup %s: %w", b.Name, err)
	}
	got := &velerov1.Backup{}
	if err := a.Live.Get(ctx, client.ObjectKeyFromObject(b), got); err != nil {
		return fmt.Errorf("read Backup %s: %w", b.Name, err)
	}
	if !maps.Equal(ownership(got), ownership(b)) {
		return fmt.Errorf("a Backup %s exists that is not of this plan: delete it by a DeleteBackupRequest", b.Name)
	}
	return nil
}

// ownership is what of a Backup's labels says whose it is.
func ownership(b *velerov1.Backup) map[string]string {
	out := map[string]string{}
	for _, key := range []string{v1alpha1.LabelCluster, v1alpha1.LabelNamespace, v1alpha1.LabelPlan} {
		out[key] = b.Labels[key]
	}
	return out
}

// markBackups changes what Backups that exist say of themselves.
func (a *Actuator) markBackups(ctx context.Context, d plan.Decision) error {
	for _, name := range d.Relabel {
		if err := a.patchBackup(ctx, name, velero.MixedPatch()); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.Fail)) {
		if err := a.patchBackup(ctx, name, velero.FailPatch(d.Fail[name])); err != nil {
			return err
		}
	}
	for _, name := range d.Touch {
		if err := a.patchBackup(ctx, name, velero.TouchPatch(v1alpha1.AnnotationTouched, a.Now())); err != nil {
			return err
		}
	}
	return nil
}

func (a *Actuator) patchBackup(ctx context.Context, name string, patch []byte) error {
	b := &velerov1.Backup{}
	b.Namespace, b.Name = a.VeleroNamespace, name
	err := a.Client.Patch(ctx, b, client.RawPatch(types.MergePatchType, patch))
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("patch Backup %s: %w", name, err)
	}
	return nil
}

// startAll releases whatever can be released: one workload that admission refuses to release keeps no other waiting.
func (a *Actuator) startAll(ctx context.Context, planName string, starts []plan.Start) error {
	var errs []error
	for i := range starts {
		s := &starts[i]
		if err := a.release(ctx, &s.Workload, s.Admission(planName, a.Now())); err != nil {
			if apierrors.IsNotFound(err) {
				continue // it was deleted
			}
			errs = append(errs, err)
			if !apierrors.IsConflict(err) {
				a.Events.NotStarted(s, err)
			}
			continue
		}
		a.released.note(&s.Workload, a.Now())
		log.FromContext(ctx).Info("Released a workload",
			"kind", s.Workload.Kind, "workload", s.Workload.Name, "reason", s.Reason, "backup", s.Backup)
		a.Events.Started(*s)
		a.Metrics.Started(*s, a.Now())
	}
	return errors.Join(errs...)
}

// Terminating says whether an error only tells that the namespace is going away.
func Terminating(err error) bool {
	return apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause)
}
