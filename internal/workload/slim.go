// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/printable"
)

// Slim is the cache's transform for workloads and their revisions: it keeps what a View is made of, and the hash of the pod
// template in place of its spec. Thousands of workloads then cost the operator hundreds of bytes each. Such an object must
// never be written back; the operator only sends patches that it builds by hand. It reports whether an object is one of them.
func Slim(obj any) bool {
	for _, k := range Kinds {
		if k.Slim(obj) || k.Revisions.Slim(obj) {
			return true
		}
	}
	return false
}

// kept are the annotations of a workload, and of its revisions, that anything reads. Whoever may write the object chooses the
// others, a quarter of a megabyte of them.
var kept = []string{
	v1alpha1.AnnotationHeldBy, v1alpha1.AnnotationUserPaused, v1alpha1.AnnotationPartition, v1alpha1.AnnotationOverride,
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

// controllerOf keeps of an object's owners the one that controls it.
func controllerOf(owners []metav1.OwnerReference) []metav1.OwnerReference {
	return slices.DeleteFunc(slices.Clone(owners), func(r metav1.OwnerReference) bool { return r.Controller == nil || !*r.Controller })
}
