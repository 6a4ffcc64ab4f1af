// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package workload is one view over the kinds of workload that a plan can hold: which template they ask for, which
// one runs, whether they are held. What is particular to a kind is behind a Kind; another one is another file and a line of Kinds.
package workload

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// Key identifies a workload within its namespace.
type Key struct {
	Group string
	Kind  v1alpha1.WorkloadKind
	Name  string
}

// LabelVersion is the recommended Kubernetes label for the version of an application.
const LabelVersion = "app.kubernetes.io/version"

// Template is what a pod template tells: its identity, and what its version can be resolved from.
type Template struct {
	// Hash identifies the revision: the spec, the labels and the annotations but for those that ask for a restart, so that
	// `kubectl rollout restart` is no rollout.
	Hash string

	// Labels of the template, of which only LabelVersion is of interest.
	Labels map[string]string

	// Images of its containers, in their order.
	Images []string
}

// Revision is a template that the workload's controller knows: a ReplicaSet of a Deployment, a ControllerRevision of a
// StatefulSet.
type Revision struct {
	Name     string
	Template Template

	// Created is when its template first started, as far as the history of the workload reaches.
	Created metav1.Time

	// Replicas is how many pods of it are wanted.
	Replicas int32

	// Pods is how many pods of it exist or are wanted, whichever is more: one that is on its way out still runs.
	Pods int32

	// Ready is how many pods of it are ready: whether it serves.
	Ready int32

	// Admitted is the admission that started it, as its controller copied it from the workload; nil where there is none.
	Admitted *Admission
}

// Override is a hold that was overridden, as the admission policy recorded it.
type Override struct {
	User   string
	Reason string
}

// View is everything that Backstay needs to know of a workload.
type View struct {
	Key

	Namespace       string
	UID             types.UID
	ResourceVersion string
	Generation      int64
	Created         metav1.Time
	Labels          map[string]string

	// Template that the workload asks for.
	Template Template

	// Paused says that a changed template does not start.
	Paused bool

	// HeldBy is the value of the hold annotation: "<namespace>/<plan>".
	HeldBy string

	// HeldReason is what the workload says of why it is held.
	HeldReason string

	// UserPaused says that a user had paused the workload before it was held.
	UserPaused bool

	// Wish is what the user wants of the field that holds, as it was recorded when the workload was held.
	Wish string

	// Unholdable says that a changed template of it cannot be held: its update strategy has no way to.
	Unholdable bool

	// Override is set where a hold was overridden and the operator has not recorded it yet.
	Override *Override

	// Admitted is the last time that the operator released a hold of it; nil where there is none.
	Admitted *Admission

	// RolledOut says that every replica runs the template asked for, and is available.
	RolledOut bool

	// Observed says that its status speaks of this generation.
	Observed bool

	// Failed says that its rollout made no progress within spec.progressDeadlineSeconds. Kubernetes keeps that up under a
	// hold that comes later.
	Failed bool

	// Revisions that exist, in no order.
	Revisions []Revision
}

// viewOf is what the view of a workload takes from its metadata, whatever its kind.
func viewOf(key Key, obj Object) View {
	marks := obj.GetAnnotations()
	v := View{
		Key:             key,
		Namespace:       obj.GetNamespace(),
		UID:             obj.GetUID(),
		ResourceVersion: obj.GetResourceVersion(),
		Generation:      obj.GetGeneration(),
		Created:         obj.GetCreationTimestamp(),
		Labels:          obj.GetLabels(),
		HeldBy:          marks[v1alpha1.AnnotationHeldBy],
		HeldReason:      marks[v1alpha1.AnnotationHeldReason],
		UserPaused:      marks[v1alpha1.AnnotationUserPaused] == "true",
		Admitted:        admissionOf(marks, obj.GetUID()),
	}
	if user := marks[v1alpha1.AnnotationOverriddenBy]; user != "" {
		v.Override = &Override{User: user, Reason: marks[v1alpha1.AnnotationOverrideReason]}
	}
	return v
}

// Held says whether the workload is held: field and annotation agree, and the hold is of its own namespace.
func (v *View) Held() bool {
	return v.Paused && v.marked()
}

// StaleHold says whether the workload carries the mark of a hold that is none.
func (v *View) StaleHold() bool {
	return !v.Paused && v.marked()
}

// HeldByPlan says whether the plan of that name marked the hold.
func (v *View) HeldByPlan(plan string) bool {
	return v.Held() && v.HeldBy == HoldMark(v.Namespace, plan)
}

func (v *View) marked() bool {
	return strings.HasPrefix(v.HeldBy, v.Namespace+"/")
}

// HoldMark is the value of the hold annotation for a plan.
func HoldMark(namespace, plan string) string {
	return namespace + "/" + plan
}

// Revision finds the revision of a template: the one with the most replicas, where several have the same spec.
func (v *View) Revision(hash string) (Revision, bool) {
	var found Revision
	ok := false
	for _, r := range v.Revisions {
		if r.Template.Hash != hash {
			continue
		}
		if !ok || r.Replicas > found.Replicas {
			found, ok = r, true
		}
	}
	return found, ok
}

// Active is how many revisions want pods. More than one: a rollout is in flight.
func (v *View) Active() int {
	n := 0
	for _, r := range v.Revisions {
		if r.Replicas > 0 {
			n++
		}
	}
	return n
}
