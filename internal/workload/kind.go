// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// Kinds are the kinds of workload that a plan can hold. Everything else that is done once for each kind follows from this list:
// policies, indexes, watches. What cannot, a marker of the API or a script, is held against it by a test.
var Kinds = []*Kind{Deployment, StatefulSet}

// Kind is everything that is particular to one kind of workload. Each has a file of its own.
type Kind struct {
	// Name is how the API of plans and Kubernetes call the kind.
	Name v1alpha1.WorkloadKind

	// Type of its objects.
	Type

	// Revisions are what its controller makes of each pod template.
	Revisions Revisions

	// Controller is the user that the controller of the kind is to the API server.
	Controller string

	// Resume is the command by which a person starts a workload that no plan and no operator will.
	Resume string

	// View is the view of a workload and the revisions that it owns. A change of the given annotations of the pod template is
	// a restart.
	View func(obj Object, revisions []Object, restartAnnotations ...string) View

	// Paused reports whether the controller of a workload starts no changed template, whoever wanted that.
	Paused func(obj Object) bool

	// Changed reports whether anything that a View tells differs between two versions of a workload. One that was deleted and
	// created again may look like an update.
	Changed func(from, to Object) bool

	// Wish is the annotation that records, while a workload is held, what its user wants of the field that holds.
	Wish string

	// Unhold is what to merge into the spec to take a hold off; nil where a user had paused the workload before, and where
	// a policy puts the field back. It leaves behind no field that was not there, so that nobody owns it afterwards.
	Unhold func(v *View) map[string]any

	// Restore is what to merge into the spec where that policy is missing; nil where there is none. The operator owns what it
	// sets then.
	Restore func(v *View) map[string]any

	// Probe is what to merge into the spec of any workload for a dry run: it takes a hold off.
	Probe map[string]any

	// CEL is what the admission policies have to know.
	CEL CEL
}

// Type is how objects of one type are named by the API, made and kept in the cache.
type Type struct {
	schema.GroupVersionResource

	// New and NewList make an empty object, and a list of them.
	New     func() Object
	NewList func() ObjectList

	// Items are the objects of a list, which they point into.
	Items func(ObjectList) []Object

	// Slim is the cache's transform: it keeps what a View is made of, and reports whether an object is of this type.
	Slim func(obj any) bool
}

// Revisions are the objects that the controller of a workload makes of its pod templates.
type Revisions struct {
	Type

	// Label is one that the controller puts on each of them.
	Label string

	// Template is the path of the pod template in a revision, which nobody but the controller may change; "" where the API
	// server itself lets nobody do so.
	Template string

	// Changed reports whether a revision began to run or to serve, or ceased to serve, between two versions of it. The first is
	// nil where it was created. What the workload itself shows need not be reported.
	Changed func(from, to Object) bool
}

// CEL are the parts of the admission policies that differ between kinds.
type CEL struct {
	// Template is the path of the pod template, which brings a new revision when it changes.
	Template string

	// Holding is an expression, with %s for the object: its controller starts no new revision.
	Holding string

	// Holdable is an expression, with %s for the object: it can be held at all.
	Holdable string

	// NotHoldable is what a person hears who changes the template of one that cannot.
	NotHoldable string

	// Wish is an expression for what the user wants of the field that holds, as a text; '' where that needs no record. It may
	// use the variables paused, marked, wasHeld, annotations and oldAnnotations, and must come to the same when it is asked again
	// about a workload that was held by an earlier answer.
	Wish string

	// WasWish is the one that was recorded in oldAnnotations, where a policy gives the field back when the operator releases a
	// hold; "" where the operator does so itself.
	WasWish string

	// Lost is an expression: a write would lose the record of it, while no plan looks. It may use the variable held besides.
	Lost string

	// Engage and Release are lists of JSON patch operations that set the field which holds, and give it what variables.wish says.
	Engage, Release string

	// Field of the spec that holds is the only one that the operator may change. Bound is an expression: it makes nothing of it
	// but what the user had. It may use the variables same, releases, paused, annotations and oldAnnotations.
	Field, Bound string
}

// Object is an object of the API.
type Object interface {
	metav1.Object
	runtime.Object
}

// ObjectList is a list of objects of the API.
type ObjectList interface {
	metav1.ListInterface
	runtime.Object
}

// Is reports whether a workload of that key is of this kind.
func (k *Kind) Is(key Key) bool { return k.Name == key.Kind && k.Group == key.Group }

// KindOf is the kind of a workload; nil where that is none of Kinds.
func KindOf(key Key) *Kind {
	i := slices.IndexFunc(Kinds, func(k *Kind) bool { return k.Is(key) })
	if i < 0 {
		return nil
	}
	return Kinds[i]
}

// HeldBy is the plan that holds a workload: field and annotation agree, and the annotation names the workload's own namespace.
func (k *Kind) HeldBy(obj Object) (plan string, held bool) {
	plan, ours := strings.CutPrefix(obj.GetAnnotations()[v1alpha1.AnnotationHeldBy], obj.GetNamespace()+"/")
	if !ours || !k.Paused(obj) {
		return "", false
	}
	return plan, true
}

// pointers are the objects of a list.
func pointers[T any, P interface {
	*T
	Object
}](items []T) []Object {
	out := make([]Object, len(items))
	for i := range items {
		out[i] = P(&items[i])
	}
	return out
}

// sameController reports whether two versions of an object have the same controlling owner.
func sameController(a, b metav1.Object) bool {
	x, y := metav1.GetControllerOfNoCopy(a), metav1.GetControllerOfNoCopy(b)
	return x == y || x != nil && y != nil && x.UID == y.UID
}
