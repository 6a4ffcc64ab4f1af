// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"encoding/json"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// ReleasePatch is the JSON merge patch that lets a held workload go. It clears the paused field, so that nobody owns
// it afterwards, unless a user had paused the workload before. The resourceVersion makes it fail with a conflict when
// anything changed since the view was taken: a newer template is never released by accident.
func ReleasePatch(v *View) []byte {
	patch := unmarkPatch(v)
	if !v.UserPaused {
		patch["spec"] = map[string]any{"paused": nil}
	}
	return mustJSON(patch)
}

// CleanPatch is the JSON merge patch that removes what means nothing any more: the record of an override, and the mark of a
// hold that is none. It has the same precondition as ReleasePatch.
func CleanPatch(v *View) []byte {
	patch := unmarkPatch(v)
	if v.Held() {
		marks := patch["metadata"].(map[string]any)["annotations"].(map[string]any)
		delete(marks, v1alpha1.AnnotationHeldBy)
		delete(marks, v1alpha1.AnnotationUserPaused)
	}
	return mustJSON(patch)
}

func unmarkPatch(v *View) map[string]any {
	return map[string]any{
		"metadata": map[string]any{
			"resourceVersion": v.ResourceVersion,
			"annotations": map[string]any{
				v1alpha1.AnnotationHeldBy:         nil,
				v1alpha1.AnnotationUserPaused:     nil,
				v1alpha1.AnnotationOverrideReason: nil,
				v1alpha1.AnnotationOverriddenBy:   nil,
				v1alpha1.AnnotationOverriddenAt:   nil,
			},
		},
	}
}

func mustJSON(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and nil only
	}
	return raw
}
