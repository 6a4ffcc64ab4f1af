// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"encoding/json"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/workload"
)

// ProbePatch is a JSON merge patch that changes the pod template of any workload of a kind, for a server-side dry run: the API
// server answers with what admission made of it, and stores nothing. It changes no more than an annotation of the template,
// the least that makes a new revision. It takes a hold and an answer off, so that only the gate can
// have put them there.
func ProbePatch(k *workload.Kind) []byte {
	patch := map[string]any{
		"metadata": map[string]any{"annotations": map[string]any{v1alpha1.AnnotationHeldBy: nil, annotationAnswers: nil}},
		"spec":     runtime.DeepCopyJSON(k.Probe),
	}
	annotation := append(strings.Split(k.CEL.Template, "."), "metadata", "annotations", annotationProbe)
	if err := unstructured.SetNestedField(patch, "probe", annotation...); err != nil {
		panic(err) // of a kind whose hold is in its template
	}
	raw, err := json.Marshal(patch)
	if err != nil {
		panic(err) // strings and nil only
	}
	return raw
}

// annotationProbe is never stored.
const annotationProbe = v1alpha1.GroupName + "/gate-probe"

// ProbeHeld says whether the answer to the dry run came back held by one of the plans of its namespace. Where several
// plans select one workload any of them may be the one that is named.
func ProbeHeld(k *workload.Kind, answer workload.Object, plans ...string) bool {
	plan, held := k.HeldBy(answer)
	return held && slices.Contains(plans, plan)
}
