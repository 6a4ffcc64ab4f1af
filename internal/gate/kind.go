// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/workload"
)

// kind is a kind of workload, of which the policies are built. What differs between kinds is in package workload; everything
// that they have in common is in the policies.
type kind struct{ *workload.Kind }

// kinds that a plan can hold.
func kinds() []kind {
	out := make([]kind, len(workload.Kinds))
	for i, k := range workload.Kinds {
		out[i] = kind{k}
	}
	return out
}

// cel is cel with the names that differ between kinds.
func (k kind) cel(expression string) string {
	return cel(strings.NewReplacer("WISH", quote(k.Wish), "MARKS", list(k.marks())).Replace(expression))
}

// marks are all annotations of ours on a workload that mean something.
func (k kind) marks() []string {
	return slices.Concat([]string{v1alpha1.AnnotationHeldBy, k.Wish, v1alpha1.AnnotationOverride}, record, operatorsOwn)
}

// canHold is whether a workload can be held, before the write and after it: what ran under another update strategy may be neither of
// the revisions that its controller knows.
func (k kind) canHold() admissionv1.Variable {
	of := func(object string) string { return strings.ReplaceAll(k.CEL.Holdable, "%s", object) }
	return admissionv1.Variable{Name: "canHold", Expression: of("object") + " && " + of("oldObject")}
}

// wish is what the user wants of the field that holds, which outlives the hold.
func (k kind) wish() admissionv1.Variable {
	return admissionv1.Variable{Name: "wish", Expression: k.cel(k.CEL.Wish)}
}

// holdingOf is the expression that an object is held in its spec.
func (k kind) holdingOf(object string) string { return strings.ReplaceAll(k.CEL.Holding, "%s", object) }
