// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"slices"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

func (k kind) backstopName() string { return "backstay-backstop-" + k.resource }

func (k kind) strictName() string { return "backstay-strict-" + k.resource }

// backstopPolicy sees the workload as all mutation left it, and denies what must not be stored.
func (k kind) backstopPolicy(id Identity) *admissionv1.ValidatingAdmissionPolicy {
	policy := k.backstop(id, k.backstopName(), harmless())
	policy.Spec.MatchConstraints.NamespaceSelector = &metav1.LabelSelector{
		MatchExpressions: []metav1.LabelSelectorRequirement{{
			Key: v1alpha1.LabelGate, Operator: metav1.LabelSelectorOpNotIn, Values: []string{v1alpha1.GateStrict},
		}},
	}
	return policy
}

// strictPolicy is the backstop of the namespaces that are labelled strict. It fails closed: where the gate is not
// ready, no Deployment of such a namespace is updated.
func (k kind) strictPolicy(id Identity) *admissionv1.ValidatingAdmissionPolicy {
	policy := k.backstop(id, k.strictName(), closed())
	policy.Spec.MatchConstraints.NamespaceSelector = &metav1.LabelSelector{
		MatchLabels: map[string]string{v1alpha1.LabelGate: v1alpha1.GateStrict},
	}
	return policy
}

func (k kind) backstop(
	id Identity, name string, onFailure *admissionv1.FailurePolicyType,
) *admissionv1.ValidatingAdmissionPolicy {
	return &admissionv1.ValidatingAdmissionPolicy{
		TypeMeta:   typeMeta("ValidatingAdmissionPolicy"),
		ObjectMeta: objectMeta(name),
		Spec: admissionv1.ValidatingAdmissionPolicySpec{
			ParamKind:        paramKind(),
			MatchConstraints: k.updates(),
			MatchConditions:  k.conditions(id, selects),
			Variables:        slices.Concat(k.facts(), k.overrideFacts()),
			Validations:      slices.Concat(overrideValidations(), []admissionv1.Validation{k.holdValidation()}),
			FailurePolicy:    onFailure,
		},
	}
}

// overrideValidations deny an override that had no effect: whoever asks for one in an emergency must hear of it at
// once. An override that was honoured is gone by now, and its record stands in its place.
func overrideValidations() []admissionv1.Validation {
	forbidden, invalid := metav1.StatusReasonForbidden, metav1.StatusReasonInvalid
	return []admissionv1.Validation{
		// Left in place it would wait for a privileged client to touch the workload.
		{
			Expression: `!variables.asked || variables.mayOverride`,
			Message:    "setting the override annotation needs the verb override on the DRPlan",
			MessageExpression: cel(`
'user ' + request.userInfo.username + ' may not override the hold of DRPlan ' + params.metadata.name +
': the annotation ' + OVERRIDE + ' needs the verb ' + VERB + ' on drplans.' + GROUP + ' ' +
params.metadata.name + ' in namespace ' + request.namespace`),
			Reason: &forbidden,
		},
		{
			Expression: `!variables.asked || variables.reasoned`,
			Message:    cel("the value of the annotation OVERRIDE must be the reason of the override, 1 to MAX_REASON characters"),
			Reason:     &invalid,
		},
		{
			Expression: `!variables.asked || variables.holdable`,
			Message:    "there is nothing to override: the workload is not held, and this write changes no pod template",
			MessageExpression: cel(`
'there is nothing to override: ' + oldObject.metadata.name +
' is not held, and this write does not change its pod template; set the annotation ' + OVERRIDE +
' in the write that changes it, or while it is held'`),
			Reason: &invalid,
		},
		// Only the first policy writes a record. This holds where that policy is not installed.
		{
			Expression: cel(`
RECORD.all(k, !(k in variables.annotations) || variables.annotations[?k] == variables.oldAnnotations[?k]) ||
(variables.recorded && variables.mayOverride)`),
			Message: "the record of an override must not be set by hand",
			MessageExpression: cel(`
'user ' + request.userInfo.username + ' may not override the hold of DRPlan ' + params.metadata.name +
', nor set the record of an override by hand: that needs the verb ' + VERB + ' on drplans.' + GROUP + ' ' +
params.metadata.name + ' in namespace ' + request.namespace`),
			Reason: &forbidden,
		},
	}
}

// holdValidation is promise 1, checked on the result.
func (k kind) holdValidation() admissionv1.Validation {
	invalid := metav1.StatusReasonInvalid
	return admissionv1.Validation{
		Expression: cel(`
!variables.holdable || variables.held || (variables.recorded && variables.mayOverride)`),
		Message: "the changed pod template must be held until its backup completes, and nothing held it",
		MessageExpression: cel(`
'DRPlan ' + params.metadata.name + ' holds ' + oldObject.metadata.name +
' until its backup completes, but nothing held this write: the MutatingAdmissionPolicy ` + k.holdName() + ` or its ' +
'binding is missing or altered, or a webhook changed the workload after it; nothing was stored'`),
		Reason: &invalid,
	}
}
