// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	admissionv1 "k8s.io/api/admissionregistration/v1"
)

func (k kind) restoreName() string { return "backstay-restore-" + k.Resource }

// restorePolicy gives the field that holds the value that its user wants, in the write by which the operator takes its mark off. The
// operator could do so itself, as it does where this policy is missing, but would own the field then: the API server computes
// who owns what before admission. And whoever owned it would not any more. It needs no plan: what is released may have none.
func (k kind) restorePolicy(id Identity) *admissionv1.MutatingAdmissionPolicy {
	policy := k.mutating(k.restoreName(), nil)
	policy.Spec.MatchConditions = []admissionv1.MatchCondition{{
		Name: "operator-releases",
		Expression: cel(`request.userInfo.username == ` + quote(id.Username()) + ` &&
oldObject.metadata.?annotations[?HELD_BY].orValue('').startsWith(request.namespace + '/') &&
!object.metadata.?annotations[?HELD_BY].hasValue() && ` + k.holdingOf("object") + ` && ` + k.holdingOf("oldObject")),
	}}
	policy.Spec.Variables = append(annotations(), admissionv1.Variable{Name: "wish", Expression: k.cel(k.CEL.WasWish)})
	policy.Spec.Mutations = jsonPatch(k.CEL.Release)
	return policy
}
