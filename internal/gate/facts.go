// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
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
	"USER_PAUSED", quote(v1alpha1.AnnotationUserPaused),
	"OVERRIDE_REASON", quote(v1alpha1.AnnotationOverrideReason),
	"OVERRIDDEN_BY", quote(v1alpha1.AnnotationOverriddenBy),
	"OVERRIDDEN_AT", quote(v1alpha1.AnnotationOverriddenAt),
	"OVERRIDE", quote(v1alpha1.AnnotationOverride),
	"MAX_REASON", maxReason,
	"MARKS", list(append([]string{v1alpha1.AnnotationHeldBy, v1alpha1.AnnotationUserPaused, v1alpha1.AnnotationOverride}, record...)),
	"RECORD", list(record),
	"ANNOTATION", quote("/metadata/annotations/"),
	"GROUP", quote(v1alpha1.GroupName),
	"VERB", quote(v1alpha1.VerbOverride),
	"HOLD", quote(string(v1alpha1.GateModeHold)),
)

// record are the annotations that tell of an override until the operator has recorded it.
var record = []string{v1alpha1.AnnotationOverrideReason, v1alpha1.AnnotationOverriddenBy, v1alpha1.AnnotationOverriddenAt}

func quote(s string) string { return "'" + s + "'" }

func list(texts []string) string { return "['" + strings.Join(texts, "', '") + "']" }

// conditions decide whether a policy has anything to say for one plan. For users they hold nothing that depends on the
// pod template: a policy that was skipped is not asked again after a webhook changed the template. For the operator the
// policy that limits it is: it lets no change of a template pass.
//
// No expression of this package may fail for any Deployment or DRPlan, since a policy that fails is passed over: every
// field that can be absent is read as an optional.
func (k kind) conditions(id Identity, selects string) []admissionv1.MatchCondition {
	return []admissionv1.MatchCondition{
		// The operator's own release, which is what everybody waits for. Where it changes the template it is a user like
		// any other, so that its probe, the dry run of a changed template, comes back held.
		{Name: "no-release", Expression: fmt.Sprintf(
			`request.userInfo.username != %[1]s || object.%[2]s != oldObject.%[2]s`, quote(id.Username()), k.template)},
		// Plans that observe, or do nothing, leave every write alone.
		{Name: "plan-holds", Expression: cel(`params.?spec.?gate.?mode.orValue('') == HOLD`)},
		{Name: "plan-selects", Expression: cel(selects)},
	}
}

// selects is whether a plan selects a workload. The labels before the write count as well as those after it: nobody gets
// around a plan by taking the label off in the write that changes the template. What a plan holds stays its business
// without any label.
const selects = `
params.?spec.?workloads.?matchLabels.orValue({}).size() > 0 && (
  params.spec.workloads.matchLabels.all(k,
    object.metadata.?labels[?k] == optional.of(params.spec.workloads.matchLabels[k])) ||
  params.spec.workloads.matchLabels.all(k,
    oldObject.metadata.?labels[?k] == optional.of(params.spec.workloads.matchLabels[k])) ||
  oldObject.metadata.?annotations[?HELD_BY] == optional.of(request.namespace + '/' + params.metadata.name)
)`

// facts are what every policy of a kind starts from: what the write changes, and whether the workload was held before it
// and is held now. A hold is the field and the annotation together, and the annotation must name the
// workload's own namespace: one that a restore brought along from another namespace is nobody's hold.
func (k kind) facts() []admissionv1.Variable {
	return append(annotations(), []admissionv1.Variable{
		{Name: "plan", Expression: `request.namespace + '/' + params.metadata.name`},
		{Name: "changed", Expression: fmt.Sprintf(`object.%[1]s != oldObject.%[1]s`, k.template)},
		{Name: "paused", Expression: fmt.Sprintf(k.holding, "object")},
		{Name: "marked", Expression: cel(
			`variables.annotations[?HELD_BY].orValue('').startsWith(request.namespace + '/')`)},
		{Name: "held", Expression: `variables.paused && variables.marked`},
		{Name: "wasHeld", Expression: cel(fmt.Sprintf(k.holding, "oldObject") +
			` && variables.oldAnnotations[?HELD_BY].orValue('').startsWith(request.namespace + '/')`)},
		// Something is to be held, unless it is overridden: a new revision, or one that waits already.
		{Name: "holdable", Expression: `variables.changed || variables.wasHeld`},
	}...)
}

// annotations are those after the write and before it.
func annotations() []admissionv1.Variable {
	return []admissionv1.Variable{
		{Name: "annotations", Expression: `object.metadata.?annotations.orValue({})`},
		{Name: "oldAnnotations", Expression: `oldObject.metadata.?annotations.orValue({})`},
	}
}

// recorded is the record of an override that was honoured earlier in this very write: by another policy, for another plan,
// or before a webhook made the API server ask again. The resourceVersion tells it from a record of old.
func recorded() admissionv1.Variable {
	return admissionv1.Variable{Name: "recorded", Expression: cel(`
variables.annotations[?OVERRIDDEN_AT] == optional.of(oldObject.metadata.resourceVersion) &&
variables.annotations[?OVERRIDDEN_BY] == optional.of(request.userInfo.username) &&
OVERRIDE_REASON in variables.annotations`)}
}

// overrideFacts are what is known of an override in this write.
func (k kind) overrideFacts() []admissionv1.Variable {
	return []admissionv1.Variable{
		// An override takes effect in the write that sets it. A value that was there before asks for nothing.
		{Name: "asked", Expression: cel(`
OVERRIDE in variables.annotations &&
variables.annotations[?OVERRIDE] != variables.oldAnnotations[?OVERRIDE]`)},
		{Name: "reasoned", Expression: cel(`
variables.annotations[?OVERRIDE].orValue('').size() >= 1 &&
variables.annotations[?OVERRIDE].orValue('').size() <= MAX_REASON`)},
		recorded(),
		// Asked last wherever it is asked: it is the one costly question.
		{Name: "mayOverride", Expression: cel(`
authorizer.group(GROUP).resource('drplans').namespace(request.namespace).name(params.metadata.name)
  .check(VERB).allowed()`)},
	}
}
