// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"encoding/json"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// ReleasePatch is the JSON merge patch that releases a hold and records why. The resourceVersion makes it fail with a conflict
// when anything changed since the view was taken: a newer template is never released by accident.
func ReleasePatch(v *View, why Admission) []byte {
	patch := releasePatch(v, why)
	if spec := KindOf(v.Key).Unhold(v); spec != nil {
		patch["spec"] = spec
	}
	return mustJSON(patch)
}

// RestorePatch is ReleasePatch where the policy that gives the field back is missing: the operator does so itself.
func RestorePatch(v *View, why Admission, spec map[string]any) []byte {
	patch := releasePatch(v, why)
	patch["spec"] = spec
	return mustJSON(patch)
}

// CleanPatch is the JSON merge patch that removes what means nothing any more: the record of an override, and the mark of a
// hold that is none. It has the same precondition as ReleasePatch.
func CleanPatch(v *View) []byte {
	patch := unmarkPatch(v)
	if v.Held() {
		marks := annotationsOf(patch)
		delete(marks, v1alpha1.AnnotationHeldBy)
		delete(marks, KindOf(v.Key).Wish)
		delete(marks, v1alpha1.AnnotationHeldReason)
	}
	return mustJSON(patch)
}

// HeldReasonPatch is the JSON merge patch that says on a held workload why it is held. It has the same precondition as
// ReleasePatch.
func HeldReasonPatch(v *View, text string) []byte {
	return mustJSON(map[string]any{"metadata": map[string]any{
		"resourceVersion": v.ResourceVersion,
		"annotations":     map[string]any{v1alpha1.AnnotationHeldReason: text},
	}})
}

// RemarkPatch is the JSON merge patch that puts the mark of a hold back that somebody removed, so that the hold ends as any
// other. It has the same precondition as ReleasePatch.
func RemarkPatch(v *View, plan string) []byte {
	return mustJSON(map[string]any{"metadata": map[string]any{
		"resourceVersion": v.ResourceVersion,
		"annotations":     map[string]any{v1alpha1.AnnotationHeldBy: HoldMark(v.Namespace, plan)},
	}})
}

func releasePatch(v *View, why Admission) map[string]any {
	why.UID, why.Generation, why.Template = v.UID, v.Generation, v.Template.Hash
	patch := unmarkPatch(v)
	annotationsOf(patch)[v1alpha1.AnnotationAdmitted] = string(mustJSON(why))
	return patch
}

func unmarkPatch(v *View) map[string]any {
	return map[string]any{
		"metadata": map[string]any{
			"resourceVersion": v.ResourceVersion,
			"annotations": map[string]any{
				v1alpha1.AnnotationHeldBy:         nil,
				KindOf(v.Key).Wish:                nil,
				v1alpha1.AnnotationHeldReason:     nil,
				v1alpha1.AnnotationOverrideReason: nil,
				v1alpha1.AnnotationOverriddenBy:   nil,
				v1alpha1.AnnotationOverriddenAt:   nil,
			},
		},
	}
}

func annotationsOf(patch map[string]any) map[string]any {
	return patch["metadata"].(map[string]any)["annotations"].(map[string]any)
}

func mustJSON(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings, numbers and nil only
	}
	return raw
}
