// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Namespace is a fresh one. It is not deleted: nothing finalizes namespaces here, and the control plane goes as a whole.
func (cp *ControlPlane) Namespace(t *testing.T) string {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
	if err := cp.Client.Create(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	return namespace.Name
}

// MustPatch sends a JSON merge patch as the administrator, and leaves the object as it was passed in.
func (cp *ControlPlane) MustPatch(t *testing.T, object client.Object, body string) {
	t.Helper()
	patched := object.DeepCopyObject().(client.Object)
	if err := cp.Client.Patch(t.Context(), patched, client.RawPatch(types.MergePatchType, []byte(body))); err != nil {
		t.Fatal(err)
	}
}
