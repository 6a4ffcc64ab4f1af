// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// maxReason bounds the reason of an override, in characters: Override.reason of an AppRelease takes as many.
const maxReason = "256"

// cel fills the names of annotations and the like into an expression, so that it reads as what it means.
func cel(expression string) string {
	return celNames.Replace(strings.TrimSpace(expression))
}

var celNames = strings.NewReplacer(
	"ANSWERS", quote(annotationAnswers),
	"HELD_BY", quote(v1alpha1.AnnotationHeldBy),
	"HELD_REASON", quote(v1alpha1.AnnotationHeldReason),
	"OVERRIDE_REASON", quote(v1alpha1.AnnotationOverrideReason),
	"OVERRIDDEN_BY", quote(v1alpha1.AnnotationOverriddenBy),
	"OVERRIDDEN_AT", quote(v1alpha1.AnnotationOverriddenAt),
	"OVERRIDE_ACCOUNTS", quote(v1alpha1.AnnotationOverrideServiceAccounts),
	"OVERRIDE", quote(v1alpha1.AnnotationOverride),
	"ADMITTED", quote(v1alpha1.AnnotationAdmitted),
	"COUNTED", countedField,
	"EVALUATED", quote(v1alpha1.AnnotationEvaluated),
	"MAX_REASON", maxReason,
	"OPERATORS", list(operatorsOwn),
	"NEW_WITHOUT", list(newWithout),
	"RECORD", list(record),
	"ANNOTATION", quote("/metadata/annotations/"),
	"GROUP", quote(v1alpha1.GroupName),
	"VERB", quote(v1alpha1.VerbOverride),
	"HOLD", quote(string(v1alpha1.GateModeHold)),
)

var (
	// record are the annotations that tell of an override until the operator has recorded it.
	record = []string{v1alpha1.AnnotationOverrideReason, v1alpha1.AnnotationOverriddenBy, v1alpha1.AnnotationOverriddenAt}

	// operatorsOwn are the annotations that nobody but the operator writes.
	operatorsOwn = []string{v1alpha1.AnnotationAdmitted, v1alpha1.AnnotationHeldReason}

	// newWithout are the annotations that a workload must not bring when it is created. The mark of a hold may be restored
	// together with the pause.
	newWithout = append(append([]string{v1alpha1.AnnotationOverride}, record...), operatorsOwn...)
)

func quote(s string) string { return "'" + s + "'" }

func list(texts []string) string { return "['" + strings.Join(texts, "', '") + "']" }

// condition decides whether a policy has anything to say for one plan. It is one expression, since the API server
// evaluates every match condition for every plan of the namespace, whatever another of them came to: what most plans
// differ in comes first, and the template, which is large, last.
//
// For users it holds nothing that depends on the pod template: a policy that was skipped is not asked again after a
// webhook changed the template. For the operator the policy that limits it is: it lets no change of a template pass.
//
// No expression of this package may fail for any workload or DRPlan, since a policy that fails is passed over: every
// field that can be absent is read as an optional.
func (k kind) condition(id Identity, selects string) []admissionv1.MatchCondition {
	return []admissionv1.MatchCondition{{
		Name: "plan-holds-workload",
		Expression: cel(`params.?spec.?gate.?mode.orValue('') == HOLD && (` + selects + `) &&
(request.userInfo.username != ` + quote(id.Username()) + ` || (
` + k.changed(restartsOfPlan) + `))`),
	}}
}

// selects is whether a plan selects a workload. The labels before the write count as well as those after it: nobody gets
// around a plan by taking the label off in the write that changes the template. What a plan holds stays its business
// without any label.
const selects = `
params.?spec.?workloads.?matchLabels.orValue({}).size() > 0 && (
  ` + labelled + ` ||
  params.spec.workloads.matchLabels.all(k, oldObject.metadata.?labels[?k] == optional.of(params.spec.workloads.matchLabels[k])) ||
  oldObject.metadata.?annotations[?HELD_BY] == optional.of(request.namespace + '/' + params.metadata.name)
)`

// labelled is whether a workload has the labels of a plan after the write.
const labelled = `params.spec.workloads.matchLabels.all(k, object.metadata.?labels[?k] == optional.of(params.spec.workloads.matchLabels[k]))`

// annotations are those after the write and before it.
func annotations() []admissionv1.Variable {
	return []admissionv1.Variable{
		{Name: "annotations", Expression: `object.metadata.?annotations.orValue({})`},
		{Name: "oldAnnotations", Expression: `oldObject.metadata.?annotations.orValue({})`},
	}
}

// holds are whether the workload was held before the write and is held after it. A hold is the field and the annotation
// together, and the annotation must name the workload's own namespace: one that a restore brought along from another
// namespace is nobody's hold.
func (k kind) holds() []admissionv1.Variable {
	return []admissionv1.Variable{
		{Name: "paused", Expression: k.holdingOf("object")},
		{Name: "marked", Expression: cel(
			`variables.annotations[?HELD_BY].orValue('').startsWith(request.namespace + '/')`)},
		{Name: "held", Expression: `variables.paused && variables.marked`},
		{Name: "wasHeld", Expression: cel(k.holdingOf("oldObject") +
			` && variables.oldAnnotations[?HELD_BY].orValue('').startsWith(request.namespace + '/')`)},
	}
}

// revision is whether the write brings a new one.
func (k kind) revision(restarts string) admissionv1.Variable {
	return admissionv1.Variable{Name: "changed", Expression: k.changed(restarts)}
}

// holdable is whether something is to be held, unless it is overridden: a new revision, or one that waits already.
func holdable() admissionv1.Variable {
	return admissionv1.Variable{Name: "holdable", Expression: `variables.wasHeld || variables.changed`}
}
