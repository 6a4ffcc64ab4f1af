// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	admissionv1 "k8s.io/api/admissionregistration/v1"
)

func (k kind) noticeName() string { return "backstay-notice-" + k.resource }

// noticePolicy tells the person at the terminal that the rollout waits, and how to follow it: the release says the rest.
// kubectl prints "Warning: Validation failed for ValidatingAdmissionPolicy '<name>' with binding '<name>': <message>".
func (k kind) noticePolicy(id Identity) *admissionv1.ValidatingAdmissionPolicy {
	return &admissionv1.ValidatingAdmissionPolicy{
		TypeMeta:   typeMeta("ValidatingAdmissionPolicy"),
		ObjectMeta: objectMeta(k.noticeName()),
		Spec: admissionv1.ValidatingAdmissionPolicySpec{
			ParamKind:        paramKind(),
			MatchConstraints: k.updates(),
			MatchConditions:  k.conditions(id, selects),
			Variables:        k.facts(),
			Validations: []admissionv1.Validation{{
				// With two plans only the one that is named in the mark speaks.
				Expression:        cel(`!(variables.held && variables.annotations[?HELD_BY] == optional.of(variables.plan))`),
				Message:           "the rollout is held until its backup completes",
				MessageExpression: cel(noticeMessage),
			}},
			FailurePolicy: harmless(),
		},
	}
}

const noticeMessage = `
'rollout of ' + oldObject.metadata.name + ' is held by DRPlan ' + params.metadata.name +
' until its backup completes; follow it with: kubectl -n ' + request.namespace + ' get appreleases'`
