// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
)

func (k kind) noticeName() string { return "backstay-notice-" + k.Resource }

// noticePolicy tells the person at the terminal that the rollout waits, and how to follow it. It needs no plan: the mark
// names the one that holds.
//
// It is silent where the template of a workload that is held already changes again: that may be a revert, which is released
// at once, and no policy can know what runs.
//
// kubectl prints "Warning: Validation failed for ValidatingAdmissionPolicy '<name>' with binding '<name>': <message>".
func (k kind) noticePolicy(id Identity) *admissionv1.ValidatingAdmissionPolicy {
	policy := k.validating(k.noticeName(), nil, harmless())
	policy.Spec.MatchConditions = []admissionv1.MatchCondition{{
		Name: "held-by-a-plan",
		Expression: cel(`object.metadata.?annotations[?HELD_BY].hasValue() &&
request.userInfo.username != ` + quote(id.Username())),
	}}
	policy.Spec.Variables = slices.Concat(annotations(), k.holds(), []admissionv1.Variable{k.revision(restarts)})
	policy.Spec.Validations = []admissionv1.Validation{{
		Expression:        `!variables.held || (variables.wasHeld && variables.changed)`,
		Message:           "the rollout is held until its backup completes",
		MessageExpression: cel(noticeMessage + strings.ToLower(string(k.Name)) + ` ' + oldObject.metadata.name`),
	}}
	return policy
}

const noticeMessage = `
'rollout of ' + oldObject.metadata.name + ' is held by DRPlan ' +
variables.annotations[?HELD_BY].orValue('').replace(request.namespace + '/', '', 1) + ' until its backup completes; ' +
'see why it waits: kubectl -n ' + request.namespace + ' describe `
