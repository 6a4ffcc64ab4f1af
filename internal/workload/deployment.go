// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// What stands for a template that Slim has cut: its fingerprint, and its images, since a Container takes 400 bytes. These
// annotations mean something in the operator's cache only: see slimmed.
const (
	annotationBase        = v1alpha1.GroupName + "/template-base"
	annotationAnnotations = v1alpha1.GroupName + "/template-annotations"
	annotationImages      = v1alpha1.GroupName + "/images"

	// between separates the values of a list: none of them contains it.
	between = "\x00"
)

// FromDeployment is the view of a Deployment and the ReplicaSets that it owns. A change of the given annotations of the pod
// template is a restart.
func FromDeployment(d *appsv1.Deployment, sets []appsv1.ReplicaSet, restartAnnotations ...string) View {
	v := View{
		Key:             Key{Group: v1alpha1.GroupApps, Kind: v1alpha1.KindDeployment, Name: d.Name},
		Namespace:       d.Namespace,
		UID:             d.UID,
		ResourceVersion: d.ResourceVersion,
		Generation:      d.Generation,
		Created:         d.CreationTimestamp,
		Labels:          d.Labels,
		Template:        fromPodTemplate(&d.Spec.Template, restartAnnotations),
		Paused:          d.Spec.Paused,
		HeldBy:          d.Annotations[v1alpha1.AnnotationHeldBy],
		HeldReason:      d.Annotations[v1alpha1.AnnotationHeldReason],
		UserPaused:      d.Annotations[v1alpha1.AnnotationUserPaused] == "true",
		Admitted:        admissionOf(d.Annotations, d.UID),
		RolledOut:       deploymentRolledOut(d),
		Observed:        d.Status.ObservedGeneration >= d.Generation,
		Failed:          deploymentFailed(d),
	}
	if user := d.Annotations[v1alpha1.AnnotationOverriddenBy]; user != "" {
		v.Override = &Override{User: user, Reason: d.Annotations[v1alpha1.AnnotationOverrideReason]}
	}
	for i := range sets {
		v.Revisions = append(v.Revisions, fromReplicaSet(&sets[i], d.UID, restartAnnotations))
	}
	return v
}

func fromReplicaSet(rs *appsv1.ReplicaSet, owner types.UID, restartAnnotations []string) Revision {
	r := Revision{
		Name: rs.Name, Created: rs.CreationTimestamp, Replicas: ptr.Deref(rs.Spec.Replicas, 1),
		Template: fromPodTemplate(&rs.Spec.Template, restartAnnotations), Admitted: admissionOf(rs.Annotations, owner),
	}
	r.Pods, r.Ready = Pods(rs), rs.Status.ReadyReplicas
	return r
}

// Pods is how many pods of a ReplicaSet exist or are wanted, whichever is more: one that is on its way out still runs.
func Pods(rs *appsv1.ReplicaSet) int32 {
	return max(ptr.Deref(rs.Spec.Replicas, 1), rs.Status.Replicas)
}

// deploymentFailed reports whether the Deployment controller gave up waiting for the generation that is asked for.
func deploymentFailed(d *appsv1.Deployment) bool {
	return d.Status.ObservedGeneration >= d.Generation && slices.ContainsFunc(d.Status.Conditions, timedOut)
}

// timedOut reports whether a condition says that a rollout exceeded its progress deadline.
func timedOut(c appsv1.DeploymentCondition) bool {
	return c.Type == appsv1.DeploymentProgressing && c.Status == corev1.ConditionFalse && c.Reason == reasonTimedOut
}

// reasonTimedOut is the reason of the Deployment controller for a rollout without progress.
const reasonTimedOut = "ProgressDeadlineExceeded"

// deploymentRolledOut judges as `kubectl rollout status` does.
func deploymentRolledOut(d *appsv1.Deployment) bool {
	want := int32(1)
	if d.Spec.Replicas != nil {
		want = *d.Spec.Replicas
	}
	s := &d.Status
	return !d.Spec.Paused && s.ObservedGeneration >= d.Generation &&
		s.UpdatedReplicas >= want && s.Replicas <= s.UpdatedReplicas && s.AvailableReplicas >= s.UpdatedReplicas
}

func fromPodTemplate(t *corev1.PodTemplateSpec, restartAnnotations []string) Template {
	out := Template{Labels: versionLabel(t.Labels)}
	var f fingerprint
	if slimmed(t) {
		out.Images = strings.Split(t.Annotations[annotationImages], between)
		f.base = t.Annotations[annotationBase]
		if list := t.Annotations[annotationAnnotations]; list != "" {
			f.annotations = strings.Split(list, between)
		}
	} else {
		out.Images, f = imagesOf(&t.Spec), fingerprintOf(t)
	}
	out.Hash = f.hash(restartAnnotations)
	return out
}

func imagesOf(spec *corev1.PodSpec) []string {
	images := make([]string, len(spec.Containers))
	for i := range spec.Containers {
		images[i] = spec.Containers[i].Image
	}
	return images
}

func versionLabel(labels map[string]string) map[string]string {
	if v := labels[LabelVersion]; v != "" {
		return map[string]string{LabelVersion: v}
	}
	return nil
}

// Changed says whether anything that a View tells differs between two versions of a Deployment. One that was deleted
// and created again may look like an update.
func Changed(from, to *appsv1.Deployment) bool {
	return from.UID != to.UID || from.Generation != to.Generation || deploymentRolledOut(from) != deploymentRolledOut(to) ||
		deploymentFailed(from) != deploymentFailed(to) ||
		!maps.Equal(from.Labels, to.Labels) || !maps.Equal(from.Annotations, to.Annotations)
}

// ServesChanged reports whether a ReplicaSet began to serve, or ceased to, between two versions of it.
func ServesChanged(from, to *appsv1.ReplicaSet) bool {
	return (from.Status.ReadyReplicas > 0) != (to.Status.ReadyReplicas > 0)
}

// SameTemplate reports whether two versions of a ReplicaSet have the same pod template, as far as a hash tells.
func SameTemplate(from, to *appsv1.ReplicaSet) bool {
	return fromPodTemplate(&from.Spec.Template, nil).Hash == fromPodTemplate(&to.Spec.Template, nil).Hash
}
