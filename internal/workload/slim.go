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
)

// Slim is the cache's transform for Deployments and ReplicaSets: it keeps what a View is made of, and the hash of the
// pod template in place of its spec. Thousands of workloads then cost the operator hundreds of bytes each. Such an
// object must never be written back; the operator only sends patches that it builds by hand.
func Slim(obj any) (any, error) {
	switch o := obj.(type) {
	case *appsv1.Deployment:
		slimMeta(&o.ObjectMeta)
		slimTemplate(&o.Spec.Template)
		slimConditions(&o.Status)
	case *appsv1.ReplicaSet:
		slimMeta(&o.ObjectMeta)
		o.Labels, o.Annotations, o.Spec.Selector = nil, only(o.Annotations, v1alpha1.AnnotationAdmitted), nil
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

func slimMeta(m *metav1.ObjectMeta) {
	m.ManagedFields = nil
	delete(m.Annotations, corev1.LastAppliedConfigAnnotation)
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

// only keeps one key of a map.
func only(m map[string]string, key string) map[string]string {
	if value, ok := m[key]; ok {
		return map[string]string{key: value}
	}
	return nil
}

// slimmed says whether Slim has cut a template. That it has no container is what tells, since the API server takes no such
// template. The annotations do not: anybody may set them on a pod template, and a template that told its own hash could pass
// for the one that runs.
func slimmed(t *corev1.PodTemplateSpec) bool {
	return len(t.Spec.Containers) == 0
}
