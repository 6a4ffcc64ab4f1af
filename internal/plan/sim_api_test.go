// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"reflect"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/plan"
	"github.com/backstay-dr/backstay/internal/workload"
)

// api is the client of an operator: it reads from the caches, and writes to the simulated API server.
type api struct {
	client.Client // nothing else is used
	*operator
}

// Get implements client.Reader.
func (a api) Get(ctx context.Context, key client.ObjectKey, into client.Object, o ...client.GetOption) error {
	return cache{a.seen}.Get(ctx, key, into, o...)
}

// List implements client.Reader.
func (a api) List(ctx context.Context, into client.ObjectList, o ...client.ListOption) error {
	return cache{a.seen}.List(ctx, into, o...)
}

// live is a reader of what the API server stores.
type live struct{ *operator }

// Get implements client.Reader.
func (l live) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	for _, obj := range (cache{l.state}).kind(into) {
		if client.ObjectKeyFromObject(obj) == key {
			reflect.ValueOf(into).Elem().Set(reflect.ValueOf(obj.DeepCopyObject()).Elem())
			return nil
		}
	}
	return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
}

// List implements client.Reader, for the releases of a plan and version.
func (l live) List(_ context.Context, into client.ObjectList, options ...client.ListOption) error {
	opts := (&client.ListOptions{}).ApplyOptions(options)
	var found []runtime.Object
	for _, r := range l.releases {
		if opts.FieldSelector.Matches(fieldsOf{
			v1alpha1.FieldReleasePlan: r.Spec.Plan, v1alpha1.FieldReleaseVersion: r.Spec.Version,
		}) {
			found = append(found, r.DeepCopy())
		}
	}
	return meta.SetList(into, found)
}

type fieldsOf map[string]string

func (f fieldsOf) Has(field string) bool   { _, ok := f[field]; return ok }
func (f fieldsOf) Get(field string) string { return f[field] }

// write counts a write, unless the operator is killed before it or the API server refuses it.
func (o *operator) write(obj client.Object) error {
	if o.crashAfter == 0 && !o.killed {
		o.crashAfter, o.killed = -1, true
		o.say("operator", "is killed")
	}
	if o.killed {
		return errCrash
	}
	o.crashAfter--
	if o.refuses != nil && o.refuses(obj) {
		return apierrors.NewForbidden(schema.GroupResource{}, obj.GetName(), errors.New("refused"))
	}
	return nil
}

func conflict(obj client.Object) error {
	return apierrors.NewConflict(schema.GroupResource{}, obj.GetName(), errors.New("the object has been modified"))
}

// Create implements client.Client.
func (a api) Create(_ context.Context, obj client.Object, _ ...client.CreateOption) error {
	if err := a.write(obj); err != nil {
		return err
	}
	switch obj := obj.(type) {
	case *v1alpha1.AppRelease:
		return a.createRelease(obj)
	case *velerov1.Backup:
		return a.createBackup(obj)
	default:
		panic(reflect.TypeOf(obj))
	}
}

func (o *operator) createRelease(r *v1alpha1.AppRelease) error {
	if o.releases[r.Name] != nil {
		return apierrors.NewAlreadyExists(schema.GroupResource{}, r.Name)
	}
	o.stored(r)
	o.releases[r.Name] = r.DeepCopy()
	o.tell()
	o.say("operator", "create release %s", r.Name)
	return nil
}

func (o *operator) createBackup(b *velerov1.Backup) error {
	if o.backups[b.Name] != nil {
		return apierrors.NewAlreadyExists(schema.GroupResource{}, b.Name)
	}
	b = b.DeepCopy()
	o.storeBackup(b)
	o.truth.backupCreated(o.world, b)
	o.say("operator", "create backup %s of %s", b.Name, cmp.Or(b.Annotations[v1alpha1.AnnotationVersion], "a mixed state"))
	return nil
}

// Delete implements client.Client, of objects as they were seen.
func (a api) Delete(_ context.Context, obj client.Object, _ ...client.DeleteOption) error {
	if err := a.write(obj); err != nil {
		return err
	}
	switch obj := obj.(type) {
	case *v1alpha1.AppRelease:
		return remove(a.operator, a.releases, obj, "prune release")
	case *velerov1.Backup:
		return remove(a.operator, a.backups, obj, "withdraw backup")
	default:
		panic(reflect.TypeOf(obj))
	}
}

func remove[T client.Object](o *operator, from map[string]T, obj T, what string) error {
	stored, exists := from[obj.GetName()]
	switch {
	case !exists:
		return apierrors.NewNotFound(schema.GroupResource{}, obj.GetName())
	case stored.GetResourceVersion() != obj.GetResourceVersion():
		return conflict(obj)
	}
	o.remember()
	delete(from, obj.GetName())
	o.tell()
	o.say("operator", "%s %s", what, obj.GetName())
	return nil
}

// Patch implements client.Client.
func (a api) Patch(_ context.Context, obj client.Object, patch client.Patch, _ ...client.PatchOption) error {
	if err := a.write(obj); err != nil {
		return err
	}
	raw, err := patch.Data(obj)
	if err != nil {
		return err
	}
	switch obj := obj.(type) {
	case *appsv1.Deployment:
		return a.patchDeployment(obj, raw)
	case *velerov1.Backup:
		return a.patchBackup(obj.Name, raw)
	default:
		panic(reflect.TypeOf(obj))
	}
}

func (o *operator) patchBackup(name string, patch []byte) error {
	old := o.backups[name]
	if old == nil {
		return apierrors.NewNotFound(schema.GroupResource{}, name)
	}
	b := merge(o, old, patch)
	o.storeBackup(b)
	switch {
	case b.Labels[v1alpha1.LabelMixed] != old.Labels[v1alpha1.LabelMixed]:
		o.say("operator", "backup %s is of a mixed state", name)
	case b.Annotations[v1alpha1.AnnotationTouched] != old.Annotations[v1alpha1.AnnotationTouched]:
		o.say("operator", "touch backup %s", name)
	}
	return nil
}

// patchDeployment is a JSON merge patch with a resourceVersion as its precondition. What it releases is judged.
func (o *operator) patchDeployment(into *appsv1.Deployment, patch []byte) error {
	old := o.deployments[into.Name]
	if old == nil {
		return apierrors.NewNotFound(schema.GroupResource{}, into.Name)
	}
	var precondition appsv1.Deployment
	if err := json.Unmarshal(patch, &precondition); err != nil {
		return err
	}
	if old.ResourceVersion != precondition.ResourceVersion {
		return conflict(old)
	}
	d := merge(o, old, patch)
	changed := func(annotation string) bool { return d.Annotations[annotation] != old.Annotations[annotation] }
	start, wrong := plan.Start{}, ""
	if changed(v1alpha1.AnnotationAdmitted) {
		start = o.startOf(old, d)
		wrong = cmp.Or(o.checkStart(o.seen, view(d).Admitted.Plan, &start), checkTogether(&start, o.starts))
		o.starts = append(o.starts, start)
	}
	o.storeDeployment(old, d)
	d.DeepCopyInto(into)
	switch {
	case changed(v1alpha1.AnnotationAdmitted):
		o.say("operator", "let %s go: %s %s", d.Name, start.Reason, start.Backup)
		if wrong != "" {
			o.Errorf("at %s plan %s lets %s go for %s: %s", o.now.Sub(epoch), view(d).Admitted.Plan, d.Name, start.Reason, wrong)
		}
		o.truth.letGo(&start)
	case changed(v1alpha1.AnnotationHeldBy) && d.Annotations[v1alpha1.AnnotationHeldBy] != "":
		o.say("operator", "mark %s as held again", d.Name)
	case changed(v1alpha1.AnnotationHeldReason) && d.Annotations[v1alpha1.AnnotationHeldReason] != "":
		o.say("operator", "%s says %s", d.Name, d.Annotations[v1alpha1.AnnotationHeldReason])
	default:
		o.say("operator", "clean %s", d.Name)
	}
	return nil
}

// startOf reads a start from the patch that releases a workload.
func (o *operator) startOf(held, released *appsv1.Deployment) plan.Start {
	a := view(released).Admitted
	return plan.Start{Workload: workload.FromDeployment(held, nil), Reason: a.Reason, Release: a.Release, Rollout: a.Rollout, Backup: a.Backup}
}

// Status implements client.Client.
func (a api) Status() client.SubResourceWriter { return statuses{operator: a.operator} }

type statuses struct {
	client.SubResourceWriter // nothing else is used
	*operator
}

// Update implements client.SubResourceWriter.
func (s statuses) Update(_ context.Context, obj client.Object, _ ...client.SubResourceUpdateOption) error {
	if err := s.write(obj); err != nil {
		return err
	}
	switch obj := obj.(type) {
	case *v1alpha1.AppRelease:
		return s.updateRelease(obj)
	case *v1alpha1.DRPlan:
		return s.updatePlan(obj)
	default:
		panic(reflect.TypeOf(obj))
	}
}

func (o *operator) updateRelease(r *v1alpha1.AppRelease) error {
	old := o.releases[r.Name]
	switch {
	case old == nil:
		return apierrors.NewNotFound(schema.GroupResource{}, r.Name)
	case old.ResourceVersion != r.ResourceVersion:
		return conflict(r)
	}
	checkReleaseStatus(o, r.Name, &r.Status)
	changed := old.DeepCopy()
	changed.Status = *r.Status.DeepCopy()
	o.stored(changed)
	o.releases[r.Name] = changed
	changed.DeepCopyInto(r)
	o.tell()
	o.say("operator", "release %s", describeRelease(changed))
	return nil
}

func (o *operator) updatePlan(p *v1alpha1.DRPlan) error {
	old := o.plans[p.Name]
	switch {
	case old == nil:
		return apierrors.NewNotFound(schema.GroupResource{}, p.Name)
	case old.ResourceVersion != p.ResourceVersion:
		return conflict(p)
	}
	checkPlanStatus(o, &p.Status)
	changed := old.DeepCopy()
	changed.Status = *p.Status.DeepCopy()
	o.stored(changed)
	o.plans[p.Name] = changed
	changed.DeepCopyInto(p)
	o.tell()
	if text := describePlan(changed); text != describePlan(old) {
		o.say("operator", "plan %s", text)
	}
	return nil
}
