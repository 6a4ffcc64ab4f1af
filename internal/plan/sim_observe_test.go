// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"
	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/observe"
	"github.com/backstay-dr/backstay/test/gen"
)

// observe gathers the input of a decision as the product does, from what its cache shows.
func (o *operator) observe(seen state, name string) facts.Input {
	observer := observe.Observer{
		Reader: cache{seen}, Cluster: "c", VeleroNamespace: gen.VeleroNamespace,
		Now: func() time.Time { return o.now.Add(o.clock) },
	}
	in, err := observer.Plan(context.Background(), client.ObjectKey{Namespace: ns, Name: name})
	if err != nil {
		panic(err)
	}
	return in
}

// unchanged fails the test if a decision changed its input, which is the cache's own but for what is under way.
func (o *operator) unchanged(seen state, in facts.Input) {
	o.Helper()
	now := o.observe(seen, in.Name)
	now.UnderWay, in.UnderWay = nil, nil
	if diff := cmp.Diff(now, in); diff != "" {
		o.Fatalf("the decision changed what is in the cache (-cache +changed):\n%s", diff)
	}
}

// cache shows a state as the manager's cache does: cut to what is needed, and by the indexes of package observe.
type cache struct{ state }

// Get implements client.Reader.
func (c cache) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	for _, obj := range c.kind(into) {
		if client.ObjectKeyFromObject(obj) == key {
			reflect.ValueOf(into).Elem().Set(reflect.ValueOf(cut(obj)).Elem())
			return nil
		}
	}
	return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
}

// List implements client.Reader.
func (c cache) List(_ context.Context, into client.ObjectList, options ...client.ListOption) error {
	opts := (&client.ListOptions{}).ApplyOptions(options)
	var found []runtime.Object
	for _, obj := range c.kind(into) {
		if obj = cut(obj); obj.GetNamespace() == opts.Namespace && indexed(obj, opts) {
			found = append(found, obj)
		}
	}
	return meta.SetList(into, found)
}

// kind lists the objects of a kind, which an object or a list of it names.
func (c cache) kind(of any) []client.Object {
	switch of.(type) {
	case *v1alpha1.DRPlan, *v1alpha1.DRPlanList:
		return values(c.plans)
	case *v1alpha1.AppRelease, *v1alpha1.AppReleaseList:
		return values(c.releases)
	case *appsv1.Deployment, *appsv1.DeploymentList:
		return values(c.deployments)
	case *appsv1.ReplicaSet, *appsv1.ReplicaSetList:
		return values(c.sets)
	case *appsv1.StatefulSet, *appsv1.StatefulSetList, *appsv1.ControllerRevision, *appsv1.ControllerRevisionList:
		return nil // the simulated shop has none
	case *velerov1.Backup, *velerov1.BackupList:
		return values(c.backups)
	case *velerov1.BackupStorageLocationList:
		return []client.Object{c.location}
	case *metav1.PartialObjectMetadata:
		namespace := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: ns}}
		if c.terminating {
			namespace.DeletionTimestamp = &metav1.Time{Time: epoch}
		}
		return []client.Object{namespace}
	default:
		panic(reflect.TypeOf(of))
	}
}

func values[T client.Object](objects map[string]T) []client.Object {
	out := make([]client.Object, 0, len(objects))
	for _, name := range sorted(objects) {
		out = append(out, objects[name])
	}
	return out
}

// cut is a copy as the cache keeps it.
func cut(obj client.Object) client.Object {
	slim, err := observe.Slim(obj.DeepCopyObject())
	if err != nil {
		panic(err)
	}
	return slim.(client.Object)
}

// indexes are those that package observe registers, by the type of the objects and the name of the field.
type indexes map[reflect.Type]map[string]client.IndexerFunc

// IndexField implements client.FieldIndexer.
func (x indexes) IndexField(_ context.Context, obj client.Object, field string, extract client.IndexerFunc) error {
	of := reflect.TypeOf(obj)
	if x[of] == nil {
		x[of] = map[string]client.IndexerFunc{}
	}
	x[of][field] = extract
	return nil
}

var registered = func() indexes {
	x := indexes{}
	if err := observe.Index(context.Background(), x); err != nil {
		panic(err)
	}
	return x
}()

// indexed reports whether an object is found by the fields that a list asks for.
func indexed(obj client.Object, opts *client.ListOptions) bool {
	if opts.FieldSelector == nil {
		return true
	}
	for _, want := range opts.FieldSelector.Requirements() {
		if !slices.Contains(registered[reflect.TypeOf(obj)][want.Field](obj), want.Value) {
			return false
		}
	}
	return true
}
