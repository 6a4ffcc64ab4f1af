// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// revision creates the ReplicaSet of the template that "web" has now, as the Deployment controller does: it copies the
// Deployment's annotations, and `kubectl rollout undo` brings them back.
func (s *shop) revision(number int) {
	s.t.Helper()
	d := s.get("web")
	set := &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{
		Namespace: s.namespace, Name: fmt.Sprintf("web-%d", number),
		Labels:      map[string]string{"app": "web", "pod-template-hash": fmt.Sprint(number)},
		Annotations: map[string]string{},
		OwnerReferences: []metav1.OwnerReference{
			*metav1.NewControllerRef(d, appsv1.SchemeGroupVersion.WithKind("Deployment")),
		},
	}}
	maps.Copy(set.Annotations, d.Annotations)
	set.Annotations["deployment.kubernetes.io/revision"] = fmt.Sprint(number)
	set.Spec.Template = *d.Spec.Template.DeepCopy()
	set.Spec.Template.Labels["pod-template-hash"] = fmt.Sprint(number)
	set.Spec.Selector = &metav1.LabelSelector{MatchLabels: set.Labels}
	s.create(set)
	s.mustPatch(s.cp.Client, annotation("deployment.kubernetes.io/revision", fmt.Sprint(number)))
}
