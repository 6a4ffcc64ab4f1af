// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gen

import (
	"encoding/json"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// StatefulSet is a StatefulSet of three replicas and one container, which the Plan of the same part-of label selects, as the API
// server stores it.
func StatefulSet(name string, changes ...func(*appsv1.StatefulSet)) *appsv1.StatefulSet {
	labels := map[string]string{labelName: name}
	s := &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: DefaultNamespace, Name: name, UID: types.UID("uid-" + name), Generation: 1, ResourceVersion: "1",
			Labels: map[string]string{labelName: name, LabelPartOf: DefaultPlan},
		},
		Spec: appsv1.StatefulSetSpec{
			Replicas: new(int32(3)),
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "registry.example/" + name}}},
			},
		},
	}
	s.Spec.UpdateStrategy.Type = appsv1.RollingUpdateStatefulSetStrategyType
	Partition(0)(s)
	for _, change := range changes {
		change(s)
	}
	return s
}

// Partition sets the partition of its rolling update.
func Partition(n int32) func(*appsv1.StatefulSet) {
	return func(s *appsv1.StatefulSet) {
		s.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{Partition: &n}
	}
}

// ControllerRevision is the revision of a StatefulSet as its controller makes it.
func ControllerRevision(s *appsv1.StatefulSet, revision int, created time.Time) *appsv1.ControllerRevision {
	raw, err := json.Marshal(s.Spec.Template)
	if err != nil {
		panic(err) // a pod template is made to be JSON
	}
	template := map[string]any{}
	if err := json.Unmarshal(raw, &template); err != nil {
		panic(err)
	}
	template["$patch"] = "replace"
	if raw, err = json.Marshal(map[string]any{"spec": map[string]any{"template": template}}); err != nil {
		panic(err)
	}
	return &appsv1.ControllerRevision{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: s.Namespace, Name: fmt.Sprintf("%s-%d", s.Name, revision),
			CreationTimestamp: metav1.NewTime(created.Truncate(time.Second)),
			Labels:            map[string]string{appsv1.ControllerRevisionHashLabelKey: fmt.Sprint(revision)},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "apps/v1", Kind: "StatefulSet", Name: s.Name, UID: s.UID, Controller: new(true),
			}},
		},
		Revision: int64(revision),
		Data:     runtime.RawExtension{Raw: raw},
	}
}
