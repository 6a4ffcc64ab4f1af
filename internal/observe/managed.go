// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/plan"
)

// markManaged marks a release in the cache that GitOps manages, or that belongs to another object: whoever made it would
// create it again if it was pruned. The marks by which that shows are not kept.
func markManaged(r *v1alpha1.AppRelease) {
	if managed(r) {
		metav1.SetMetaDataAnnotation(&r.ObjectMeta, plan.AnnotationManaged, "")
	}
}

// managed reports whether an object carries the mark of Argo CD, Flux or Helm, or an owner. The label instance is the one that
// Argo CD tracks by unless it is told otherwise.
func managed(obj metav1.Object) bool {
	for key := range obj.GetLabels() {
		if key == "app.kubernetes.io/instance" || key == "app.kubernetes.io/managed-by" || ofGitOps(key) {
			return true
		}
	}
	for key := range obj.GetAnnotations() {
		if ofGitOps(key) {
			return true
		}
	}
	return len(obj.GetOwnerReferences()) > 0
}

// ofGitOps reports whether a key of a label or annotation is of Argo CD, Flux or Helm.
func ofGitOps(key string) bool {
	domain, _, _ := strings.Cut(key, "/")
	for _, tool := range []string{"argoproj.io", "fluxcd.io", "helm.sh"} {
		if domain == tool || strings.HasSuffix(domain, "."+tool) {
			return true
		}
	}
	return false
}
