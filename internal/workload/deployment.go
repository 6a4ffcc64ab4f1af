// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// +kubebuilder:rbac:groups=apps,resources=deployments,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=apps,resources=replicasets,verbs=get;list;watch

// Deployment is the kind Deployment of apps/v1. spec.paused holds it, and its revisions are ReplicaSets.
var Deployment = &Kind{
	Name: v1alpha1.KindDeployment,
	Type: Type{
		GroupVersionResource: appsv1.SchemeGroupVersion.WithResource("deployments"),

		New:     func() Object { return &appsv1.Deployment{} },
		NewList: func() ObjectList { return &appsv1.DeploymentList{} },
		Items:   func(list ObjectList) []Object { return pointers(list.(*appsv1.DeploymentList).Items) },
		Slim:    slimDeployment,
	},
	Revisions: Revisions{
		Type: Type{
			GroupVersionResource: appsv1.SchemeGroupVersion.WithResource("replicasets"),

			New:     func() Object { return &appsv1.ReplicaSet{} },
			NewList: func() ObjectList { return &appsv1.ReplicaSetList{} },
			Items:   func(list ObjectList) []Object { return pointers(list.(*appsv1.ReplicaSetList).Items) },
			Slim:    slimReplicaSet,
		},
		Label:    appsv1.DefaultDeploymentUniqueLabelKey,
		Template: "spec.template",
		Changed:  replicaSetChanged,
	},
	Controller: "system:serviceaccount:kube-system:deployment-controller",
	Resume:     "kubectl rollout resume",
	View: func(obj Object, revisions []Object, restartAnnotations ...string) View {
		return viewOfDeployment(obj.(*appsv1.Deployment), revisions, restartAnnotations)
	},
	Paused:  func(obj Object) bool { return obj.(*appsv1.Deployment).Spec.Paused },
	Changed: deploymentChanged,
	Wish:    v1alpha1.AnnotationUserPaused,
	Unhold: func(v *View) map[string]any {
		if v.UserPaused {
			return nil
		}
		return map[string]any{"paused": nil}
	},
	Restore: func(*View) map[string]any { return nil },
	Probe:   map[string]any{"paused": nil},
	CEL: CEL{
		Template: "spec.template",
		Holding:  `%s.spec.?paused.orValue(false)`,
		Holdable: `true`,
		// Whether the pause is also the user's own wish, and outlives the hold. The three cases:
		//   - the workload carries our mark: what the marks say, and a `rollout resume` (mark without pause) ends it;
		//     while it is held nobody can add to them;
		//   - it carries none although it was held: what was known before, since whoever dropped the mark left a pause that
		//     is ours;
		//   - it carries none, since it was not held: the user's own pause, from before or from this write.
		Wish: `(variables.marked ?
  variables.paused && variables.annotations[?WISH].orValue('') == 'true' &&
    (!variables.wasHeld || variables.oldAnnotations[?WISH].orValue('') == 'true') :
  variables.wasHeld ? variables.oldAnnotations[?WISH].orValue('') == 'true' : variables.paused) ? 'true' : ''`,
		Engage:  `[JSONPatch{op: 'add', path: '/spec/paused', value: true}]`,
		Release: `(variables.wish == 'true' ? [] : [JSONPatch{op: 'remove', path: '/spec/paused'}])`,
		Lost:    `false`,
		Field:   "paused",
		// The pause of a user is not the operator's to end.
		Bound: `variables.same || variables.releases && variables.oldAnnotations[?WISH].orValue('') != 'true'`,
	},
}

// FromDeployment is the view of a Deployment and the ReplicaSets that it owns. A change of the given annotations of the pod
// template is a restart.
func FromDeployment(d *appsv1.Deployment, sets []appsv1.ReplicaSet, restartAnnotations ...string) View {
	return viewOfDeployment(d, pointers(sets), restartAnnotations)
}

func viewOfDeployment(d *appsv1.Deployment, sets []Object, restartAnnotations []string) View {
	v := viewOf(Key{Group: v1alpha1.GroupApps, Kind: v1alpha1.KindDeployment, Name: d.Name}, d)
	v.Template = fromPodTemplate(&d.Spec.Template, restartAnnotations)
	v.Paused = d.Spec.Paused
	v.RolledOut = deploymentRolledOut(d)
	v.Observed = d.Status.ObservedGeneration >= d.Generation
	v.Failed = deploymentFailed(d)
	for _, set := range sets {
		v.Revisions = append(v.Revisions, fromReplicaSet(set.(*appsv1.ReplicaSet), d.UID, restartAnnotations))
	}
	return v
}

func fromReplicaSet(rs *appsv1.ReplicaSet, owner types.UID, restartAnnotations []string) Revision {
	return Revision{
		Name: rs.Name, Created: rs.CreationTimestamp, Replicas: ptr.Deref(rs.Spec.Replicas, 1),
		Template: fromPodTemplate(&rs.Spec.Template, restartAnnotations), Admitted: admissionOf(rs.Annotations, owner),
		Pods: podsOf(rs), Ready: rs.Status.ReadyReplicas,
	}
}

// podsOf is how many pods of a ReplicaSet exist or are wanted, whichever is more: one that is on its way out still runs.
func podsOf(rs *appsv1.ReplicaSet) int32 {
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

func deploymentChanged(a, b Object) bool {
	from, to := a.(*appsv1.Deployment), b.(*appsv1.Deployment)
	return from.UID != to.UID || from.Generation != to.Generation || deploymentRolledOut(from) != deploymentRolledOut(to) ||
		deploymentFailed(from) != deploymentFailed(to) ||
		!maps.Equal(from.Labels, to.Labels) || !maps.Equal(from.Annotations, to.Annotations)
}

// replicaSetChanged: the Deployment shows nothing of a ReplicaSet that gets its first pods, an owner, or another template where
// it did not ask for it, nor of the first pod that gets ready, or the last one that ceases to be.
func replicaSetChanged(a, b Object) bool {
	to := b.(*appsv1.ReplicaSet)
	if a == nil {
		return podsOf(to) > 0
	}
	from := a.(*appsv1.ReplicaSet)
	return podsOf(to) > 0 && (podsOf(from) == 0 || !sameController(from, to) || !sameTemplate(from, to)) ||
		(from.Status.ReadyReplicas > 0) != (to.Status.ReadyReplicas > 0)
}

// sameTemplate reports whether two versions of a ReplicaSet have the same pod template, as far as a hash tells.
func sameTemplate(from, to *appsv1.ReplicaSet) bool {
	return fromPodTemplate(&from.Spec.Template, nil).Hash == fromPodTemplate(&to.Spec.Template, nil).Hash
}

func slimDeployment(obj any) bool {
	d, ok := obj.(*appsv1.Deployment)
	if !ok {
		return false
	}
	slimMeta(&d.ObjectMeta)
	d.OwnerReferences, d.Spec.Selector = nil, nil
	slimTemplate(&d.Spec.Template)
	slimConditions(&d.Status)
	return true
}

func slimReplicaSet(obj any) bool {
	rs, ok := obj.(*appsv1.ReplicaSet)
	if !ok {
		return false
	}
	slimMeta(&rs.ObjectMeta)
	KeepAnnotations(rs, v1alpha1.AnnotationAdmitted)
	rs.Labels, rs.Spec.Selector, rs.OwnerReferences = nil, nil, controllerOf(rs.OwnerReferences)
	slimTemplate(&rs.Spec.Template)
	rs.Status = appsv1.ReplicaSetStatus{Replicas: rs.Status.Replicas, ReadyReplicas: rs.Status.ReadyReplicas}
	return true
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
