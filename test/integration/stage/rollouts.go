// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// AnnotationStuck on a Deployment makes its rollouts stay in flight: both revisions keep their pods.
const AnnotationStuck = "stage.dr.backstay.dev/stuck"

// AnnotationTimedOut on a Deployment makes its status say that its rollout made no progress within its deadline.
const AnnotationTimedOut = "stage.dr.backstay.dev/timed-out"

// rollouts plays the Deployment controller, as far as anybody can see it from outside: a ReplicaSet for each template
// that started, none for one that is paused, and the status that `kubectl rollout status` reads.
type rollouts struct{ client client.Client }

// Reconcile brings the ReplicaSets and the status of one Deployment to what its spec asks for.
func (r *rollouts) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	d := &appsv1.Deployment{}
	if err := r.client.Get(ctx, req.NamespacedName, d); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !d.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, nil
	}
	sets, err := r.owned(ctx, d)
	if err != nil {
		return ctrl.Result{}, err
	}
	current := find(sets, d)
	if current == nil && !d.Spec.Paused {
		current = newReplicaSet(d)
		// One that exists is on its way into the cache: its arrival leads here again.
		if err := r.client.Create(ctx, current); err != nil {
			return ctrl.Result{}, client.IgnoreAlreadyExists(err)
		}
		sets = append(sets, current)
	}
	if !d.Spec.Paused {
		if err := r.scale(ctx, d, sets, current); err != nil {
			return ctrl.Result{}, err
		}
	}
	return ctrl.Result{}, r.report(ctx, d, sets, current)
}

func (r *rollouts) owned(ctx context.Context, d *appsv1.Deployment) ([]*appsv1.ReplicaSet, error) {
	list := &appsv1.ReplicaSetList{}
	if err := r.client.List(ctx, list, client.InNamespace(d.Namespace)); err != nil {
		return nil, err
	}
	var out []*appsv1.ReplicaSet
	for i := range list.Items {
		if metav1.IsControlledBy(&list.Items[i], d) {
			out = append(out, &list.Items[i])
		}
	}
	return out, nil
}

// find finds the ReplicaSet of the template that a Deployment asks for. One that was made here for another template is known
// by its name.
func find(sets []*appsv1.ReplicaSet, d *appsv1.Deployment) *appsv1.ReplicaSet {
	name := d.Name + "-" + templateHash(&d.Spec.Template)
	for _, rs := range sets {
		if rs.Name != name && rs.Name == d.Name+"-"+rs.Labels[appsv1.DefaultDeploymentUniqueLabelKey] {
			continue
		}
		template := rs.Spec.Template.DeepCopy()
		delete(template.Labels, appsv1.DefaultDeploymentUniqueLabelKey)
		if equality.Semantic.DeepEqual(template, &d.Spec.Template) {
			return rs
		}
	}
	return nil
}

func newReplicaSet(d *appsv1.Deployment) *appsv1.ReplicaSet {
	hash := templateHash(&d.Spec.Template)
	rs := &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{
		Namespace: d.Namespace, Name: d.Name + "-" + hash, Labels: with(d.Spec.Template.Labels, hash),
		OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(d, appsv1.SchemeGroupVersion.WithKind("Deployment"))},
	}}
	rs.Spec.Replicas = d.Spec.Replicas
	rs.Spec.Selector = &metav1.LabelSelector{MatchLabels: with(d.Spec.Selector.MatchLabels, hash)}
	rs.Spec.Template = *d.Spec.Template.DeepCopy()
	rs.Spec.Template.Labels = with(d.Spec.Template.Labels, hash)
	return rs
}

func with(labels map[string]string, hash string) map[string]string {
	out := maps.Clone(labels)
	out[appsv1.DefaultDeploymentUniqueLabelKey] = hash
	return out
}

func templateHash(t *corev1.PodTemplateSpec) string {
	raw, err := json.Marshal(t)
	if err != nil {
		panic(err) // it came from JSON
	}
	sum := fnv.New32a()
	sum.Write(raw)
	return fmt.Sprintf("%08x", sum.Sum32())
}

func (r *rollouts) scale(ctx context.Context, d *appsv1.Deployment, sets []*appsv1.ReplicaSet, current *appsv1.ReplicaSet) error {
	for _, rs := range sets {
		want := int32(0)
		if rs == current {
			want = *d.Spec.Replicas
		} else if d.Annotations[AnnotationStuck] == "true" {
			continue
		}
		if *rs.Spec.Replicas == want {
			continue
		}
		patch := client.MergeFrom(rs.DeepCopy())
		rs.Spec.Replicas = &want
		if err := r.client.Patch(ctx, rs, patch); err != nil {
			return err
		}
	}
	return nil
}

func (r *rollouts) report(ctx context.Context, d *appsv1.Deployment, sets []*appsv1.ReplicaSet, current *appsv1.ReplicaSet) error {
	base := d.DeepCopy()
	d.Status = appsv1.DeploymentStatus{ObservedGeneration: d.Generation}
	for _, rs := range sets {
		d.Status.Replicas += *rs.Spec.Replicas
	}
	d.Status.ReadyReplicas, d.Status.AvailableReplicas = d.Status.Replicas, d.Status.Replicas
	if current != nil {
		d.Status.UpdatedReplicas = *current.Spec.Replicas
	}
	if d.Annotations[AnnotationTimedOut] == "true" && !d.Spec.Paused && len(sets) > 1 {
		d.Status.Conditions = []appsv1.DeploymentCondition{{
			Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: "ProgressDeadlineExceeded",
		}}
	}
	if equality.Semantic.DeepEqual(base.Status, d.Status) {
		return nil
	}
	return client.IgnoreNotFound(r.client.Status().Patch(ctx, d, client.MergeFrom(base)))
}
