// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/printable"
)

// Slim is the cache's transform for Deployments and ReplicaSets: it keeps what a View is made of, and the hash of the
// pod template in place of its spec. Thousands of workloads then cost the operator hundreds of bytes each. Such an
// object must never be written back; the operator only sends patches that it builds by hand.
func Slim(obj any) (any, error) {
	switch o := obj.(type) {
	case *appsv1.Deployment:
		slimMeta(&o.ObjectMeta)
		o.OwnerReferences, o.Spec.Selector = nil, nil
		slimTemplate(&o.Spec.Template)
		slimConditions(&o.Status)
	case *appsv1.ReplicaSet:
		slimMeta(&o.ObjectMeta)
		KeepAnnotations(o, v1alpha1.AnnotationAdmitted)
		o.Labels, o.Spec.Selector, o.OwnerReferences = nil, nil, controllerOf(o.OwnerReferences)
		slimTemplate(&o.Spec.Template)
		o.Status = appsv1.ReplicaSetStatus{Replicas: o.Status.Replicas, ReadyReplicas: o.Status.ReadyReplicas}
	}
	return obj, nil
}

// slimConditions keeps of a Deployment's conditions that its rollout failed, and no text.
func slimConditions(s *appsv1.DeploymentStatus) {
	failed := slices.ContainsFunc(s.Conditions, timedOut)
	s.Conditions = nil
	if failed {
		s.Conditions = []appsv1.DeploymentCondition{{
			Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: reasonTimedOut,
		}}
	}
}

// kept are the annotations of a workload, and of its ReplicaSets, that anything reads. Whoever may write the object chooses the
// others, a quarter of a megabyte of them.
var kept = []string{
	v1alpha1.AnnotationHeldBy, v1alpha1.AnnotationUserPaused, v1alpha1.AnnotationOverride,
	v1alpha1.AnnotationOverrideReason, v1alpha1.AnnotationOverriddenBy, v1alpha1.AnnotationOverriddenAt,
	v1alpha1.AnnotationAdmitted, v1alpha1.AnnotationHeldReason,
}

func slimMeta(m *metav1.ObjectMeta) {
	m.ManagedFields, m.Finalizers = nil, nil
	KeepAnnotations(m, kept...)
}

// maxKept is how much of an annotation's value is kept, in bytes. The longest that is meant is a reason for people.
const maxKept = 4096

// KeepAnnotations removes every annotation but those with the given keys, makes these printable and cuts what is too long.
func KeepAnnotations(m metav1.Object, keys ...string) {
	var out map[string]string
	for _, key := range keys {
		value, ok := m.GetAnnotations()[key]
		if !ok {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[key] = strings.Clone(printable.Text(value[:min(len(value), maxKept)]))
	}
	m.SetAnnotations(out)
}

func slimTemplate(t *corev1.PodTemplateSpec) {
	if slimmed(t) {
		return // transforms may see an object twice
	}
	slim := corev1.PodTemplateSpec{}
	slim.Labels = versionLabel(t.Labels)
	f := fingerprintOf(t)
	slim.Annotations = map[string]string{annotationBase: f.base, annotationImages: strings.Join(imagesOf(&t.Spec), between)}
	if len(f.annotations) > 0 {
		slim.Annotations[annotationAnnotations] = strings.Join(f.annotations, between)
	}
	*t = slim
}

// controllerOf keeps of an object's owners the one that controls it.
func controllerOf(owners []metav1.OwnerReference) []metav1.OwnerReference {
	return slices.DeleteFunc(slices.Clone(owners), func(r metav1.OwnerReference) bool { return r.Controller == nil || !*r.Controller })
}

// slimmed says whether Slim has cut a template. That it has no container is what tells, since the API server takes no such
// template. The annotations do not: anybody may set them on a pod template, and a template that told its own hash could pass
// for the one that runs.
func slimmed(t *corev1.PodTemplateSpec) bool {
	return len(t.Spec.Containers) == 0
}
