// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// ProbePatch is a JSON merge patch that changes the pod template of any Deployment, for a server-side dry run: the API
// server answers with what admission made of it, and stores nothing. It changes no more than an annotation of the template,
// the least that makes a new revision. It takes a hold and an answer off, so that only the gate can
// have put them there.
func ProbePatch() []byte {
	return fmt.Appendf(nil, `{"metadata":{"annotations":{%q:null,%q:null}},"spec":{"paused":null,"template":{"metadata":{"annotations":{%q:"probe"}}}}}`,
		v1alpha1.AnnotationHeldBy, annotationAnswers, annotationProbe)
}

// annotationProbe is never stored.
const annotationProbe = v1alpha1.GroupName + "/gate-probe"

// ProbeHeld says whether the answer to the dry run came back held by one of the plans of its namespace. Where several
// plans select one workload any of them may be the one that is named.
func ProbeHeld(answer *appsv1.Deployment, plans ...string) bool {
	plan, held := HeldBy(answer)
	return held && slices.Contains(plans, plan)
}

// HeldBy is the plan that holds a Deployment: field and annotation agree, and the annotation names the Deployment's own
// namespace.
func HeldBy(d *appsv1.Deployment) (plan string, held bool) {
	plan, ours := strings.CutPrefix(d.Annotations[v1alpha1.AnnotationHeldBy], d.Namespace+"/")
	if !ours || !d.Spec.Paused {
		return "", false
	}
	return plan, true
}
