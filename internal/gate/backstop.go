// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"slices"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func (k kind) backstopName() string { return "backstay-backstop-" + k.Resource }

// backstopPolicy sees the workload as all mutation left it, and denies what a plan must not let be stored.
func (k kind) backstopPolicy(id Identity) *admissionv1.ValidatingAdmissionPolicy {
	policy := k.validating(k.backstopName(), paramKind(), harmless())
	policy.Spec.MatchConditions = k.condition(id, selects)
	policy.Spec.Variables = slices.Concat(annotations(), k.holds(), []admissionv1.Variable{
		k.revision(restartsOfPlan), holdable(), k.canHold(), asked(), recorded(), counted(), mayOverride(planOfParams),
	})
	policy.Spec.Validations = append(rightValidations(), k.holdValidation(), holderValidation(id))
	return policy
}

// rightValidations deny an override to those who have no right to it.
func rightValidations() []admissionv1.Validation {
	forbidden := metav1.StatusReasonForbidden
	mayNot := `'user ' + request.userInfo.username + ' may not override the hold of DRPlan ' + params.metadata.name`
	return []admissionv1.Validation{
		// Left in place it would wait for a privileged client to touch the workload. Where there is nothing to override
		// another policy says so.
		{
			Expression:        `!variables.asked || !variables.holdable || variables.mayOverride`,
			Message:           "setting the override annotation needs the verb override on the DRPlan",
			MessageExpression: cel(mayNot + ` + ': the annotation ' + OVERRIDE + ' ' + ` + howToOverride(planOfParams)),
			Reason:            &forbidden,
		},
		// Only the policy that holds writes a record. This is for where that policy is not installed.
		{
			Expression: cel(`
RECORD.all(k, !(k in variables.annotations) || variables.annotations[?k] == variables.oldAnnotations[?k]) ||
(variables.recorded && variables.mayOverride)`),
			Message: "the record of an override must not be set by hand",
			MessageExpression: cel(mayNot + ` + ', nor set the record of an override by hand: that ' + ` +
				howToOverride(planOfParams)),
			Reason: &forbidden,
		},
	}
}

// holdValidation is promise 1, checked on the result. Of an override that nothing honoured another policy speaks.
func (k kind) holdValidation() admissionv1.Validation {
	invalid := metav1.StatusReasonInvalid
	return admissionv1.Validation{
		Expression: `
!variables.holdable || variables.held || variables.asked || (variables.recorded && variables.mayOverride)`[1:],
		Message: "the changed pod template must be held until its backup completes, and nothing held it",
		MessageExpression: cel(`
` + k.cannotHold() + `'DRPlan ' + params.metadata.name + ' holds ' + oldObject.metadata.name +
' until its backup completes, but nothing held this write, and nothing was stored. Where the plan or the policy ' +
'` + k.holdName() + ` is only moments old, retry in a few seconds. Otherwise the policy or its binding is missing or ' +
'altered, or a webhook changed the workload after it: see the condition Gated: kubectl -n ' + request.namespace +
' get drplan ' + params.metadata.name + ' -o wide'`),
		Reason: &invalid,
	}
}

// cannotHold begins a message, as CEL, about a workload that cannot be held.
func (k kind) cannotHold() string {
	if k.CEL.NotHoldable == "" {
		return ""
	}
	return `!variables.canHold ? 'DRPlan ' + params.metadata.name + ' cannot hold ' + oldObject.metadata.name + ', and nothing was stored: ` +
		k.CEL.NotHoldable + `' :
`
}

// holderValidation keeps what a plan holds with that plan: see holder. The operator's probe stores nothing.
func holderValidation(id Identity) admissionv1.Validation {
	invalid := metav1.StatusReasonInvalid
	return admissionv1.Validation{
		Expression: cel(`
!variables.wasHeld || !variables.held || request.userInfo.username == ` + quote(id.Username()) + ` ||
variables.oldAnnotations[?HELD_BY] != optional.of(request.namespace + '/' + string(params.metadata.name)) ||
variables.annotations[?HELD_BY] == variables.oldAnnotations[?HELD_BY]`),
		Message: "the workload must stay with the plan that holds it",
		MessageExpression: cel(`
'DRPlan ' + params.metadata.name + ' holds ' + oldObject.metadata.name + ', and another plan would have taken it, since ' +
'the write takes the labels of that plan off; nothing was stored. Retry, or wait until it is released'`),
		Reason: &invalid,
	}
}
