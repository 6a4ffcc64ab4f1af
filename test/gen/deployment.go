// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gen

import (
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// labelName tells the pods of one Deployment from those of another.
const labelName = "app.kubernetes.io/name"

// DeploymentOption changes a Deployment.
type DeploymentOption interface{ applyDeployment(*appsv1.Deployment) }

type deploymentOption func(*appsv1.Deployment)

func (f deploymentOption) applyDeployment(d *appsv1.Deployment) { f(d) }

// Deployment is a Deployment of one replica and one container, which the Plan of the same part-of label selects.
func Deployment(name string, options ...DeploymentOption) *appsv1.Deployment {
	replicas := int32(1)
	labels := map[string]string{labelName: name}
	d := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: DefaultNamespace, Name: name, UID: types.UID("uid-" + name), Generation: 1, ResourceVersion: "1",
			Labels: map[string]string{labelName: name, LabelPartOf: DefaultPlan},
		},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "registry.example/" + name}}},
			},
		},
	}
	for _, o := range options {
		o.applyDeployment(d)
	}
	return d
}

// Image sets the image of the first container.
func Image(image string) DeploymentOption {
	return deploymentOption(func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = image })
}

// Sidecar adds a container.
func Sidecar(name, image string) DeploymentOption {
	return deploymentOption(func(d *appsv1.Deployment) {
		d.Spec.Template.Spec.Containers = append(d.Spec.Template.Spec.Containers, corev1.Container{Name: name, Image: image})
	})
}

// Config sets an environment variable of the first container: a change of configuration under the same version.
func Config(key, value string) DeploymentOption {
	return deploymentOption(func(d *appsv1.Deployment) {
		c := &d.Spec.Template.Spec.Containers[0]
		for i := range c.Env {
			if c.Env[i].Name == key {
				c.Env[i].Value = value
				return
			}
		}
		c.Env = append(c.Env, corev1.EnvVar{Name: key, Value: value})
	})
}

// TemplateLabel sets a label of the pod template.
func TemplateLabel(key, value string) DeploymentOption {
	return deploymentOption(func(d *appsv1.Deployment) { d.Spec.Template.Labels = with(d.Spec.Template.Labels, key, value) })
}

// TemplateAnnotation sets an annotation of the pod template, as `kubectl rollout restart` does.
func TemplateAnnotation(key, value string) DeploymentOption {
	return deploymentOption(func(d *appsv1.Deployment) {
		d.Spec.Template.Annotations = with(d.Spec.Template.Annotations, key, value)
	})
}

// Runs makes the pod template one of a version: its label, and its image's tag.
func Runs(version string) DeploymentOption {
	return deploymentOption(func(d *appsv1.Deployment) {
		TemplateLabel(LabelVersion, version).applyDeployment(d)
		d.Spec.Template.Spec.Containers[0].Image = "registry.example/" + d.Name + ":" + version
	})
}

// Paused pauses it, as a user does.
func Paused() DeploymentOption {
	return deploymentOption(func(d *appsv1.Deployment) { d.Spec.Paused = true })
}

// Held holds it for a plan, as the admission policy does.
func Held(namespace, plan string) DeploymentOption {
	return deploymentOption(func(d *appsv1.Deployment) {
		d.Spec.Paused = true
		Annotation(v1alpha1.AnnotationHeldBy, namespace+"/"+plan)(d)
	})
}

// UserPaused marks a held one as paused by a user before.
func UserPaused() DeploymentOption { return Annotation(v1alpha1.AnnotationUserPaused, "true") }

// Overridden lets it go, as the admission policy does for somebody with the right to it.
func Overridden(user, reason string) DeploymentOption {
	return deploymentOption(func(d *appsv1.Deployment) {
		d.Spec.Paused = false
		delete(d.Annotations, v1alpha1.AnnotationHeldBy)
		Annotation(v1alpha1.AnnotationOverriddenBy, user)(d)
		Annotation(v1alpha1.AnnotationOverrideReason, reason)(d)
	})
}

// Replicas sets how many pods are wanted.
func Replicas(n int32) DeploymentOption {
	return deploymentOption(func(d *appsv1.Deployment) { d.Spec.Replicas = &n })
}

// RolledOut makes its status say that every pod runs the template, and is available.
func RolledOut() DeploymentOption {
	return deploymentOption(func(d *appsv1.Deployment) {
		n := *d.Spec.Replicas
		d.Status = appsv1.DeploymentStatus{
			ObservedGeneration: d.Generation, Replicas: n, UpdatedReplicas: n, ReadyReplicas: n, AvailableReplicas: n,
		}
	})
}

// TimedOut makes its status say that the rollout made no progress within its deadline.
func TimedOut() DeploymentOption {
	return deploymentOption(func(d *appsv1.Deployment) {
		d.Status.ObservedGeneration = d.Generation
		d.Status.Conditions = []appsv1.DeploymentCondition{{
			Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: "ProgressDeadlineExceeded", Message: "timed out",
		}}
	})
}

// Changed changes what the options before it made.
func Changed(change func(*appsv1.Deployment)) DeploymentOption { return deploymentOption(change) }

// ReplicaSet is the revision of a Deployment as its controller makes it.
func ReplicaSet(d *appsv1.Deployment, revision int, replicas int32, created time.Time) *appsv1.ReplicaSet {
	controller := true
	rs := &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: d.Namespace, Name: fmt.Sprintf("%s-%d", d.Name, revision),
			CreationTimestamp: metav1.NewTime(created.Truncate(time.Second)),
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "apps/v1", Kind: "Deployment", Name: d.Name, UID: d.UID, Controller: &controller,
			}},
		},
		Spec: appsv1.ReplicaSetSpec{Replicas: &replicas, Selector: d.Spec.Selector, Template: *d.Spec.Template.DeepCopy()},
	}
	rs.Spec.Template.Labels = with(rs.Spec.Template.Labels, appsv1.DefaultDeploymentUniqueLabelKey, fmt.Sprint(revision))
	return rs
}
