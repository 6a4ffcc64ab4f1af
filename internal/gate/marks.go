// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"slices"

	admissionv1 "k8s.io/api/admissionregistration/v1"
)

func (k kind) marksName() string { return "backstay-marks-" + k.Resource }

// marksPolicy keeps our annotations what the other policies and the operator made them, in every namespace and whether a
// plan looks or not.
//
//   - The status of a workload is written by controllers, and its annotations with it: nobody takes a hold off, or writes a
//     record, by that door.
//   - The record of an override that a write brings and did not earn, copied by hand or by `kubectl rollout undo` from a
//     ReplicaSet, becomes again what it was. Earned is one whose author may override the plan that it names, as the policy that
//     holds asked too: where no plan looks, nobody else can forge one. Whoever removes a record may.
//   - A workload that is created brings neither a record, nor what only the operator writes, nor an override: creation is not
//     held.
//   - What only the operator writes, why a workload was admitted or waits, stays what it was, also where `kubectl replace`
//     drops every annotation.
//   - The mark of a hold stays for as long as the pause that it explains: without it the hold would be taken for a pause of
//     the user's own, and last for ever. `kubectl rollout resume` ends both where no plan holds any more. So does what the
//     user had before, where only that can tell.
//
// It takes back and does not deny, since most who bring a mark do not know that they do.
func (k kind) marksPolicy(id Identity) *admissionv1.MutatingAdmissionPolicy {
	policy := k.mutating(k.marksName(), nil)
	rule := &policy.Spec.MatchConstraints.ResourceRules[0]
	rule.Resources = append(rule.Resources, k.Resource+"/status")
	rule.Operations = append(rule.Operations, admissionv1.Create)
	// Where the operator admits a workload, which is what everybody waits for, there is nothing to take back: a mutation that
	// changes nothing would cost that a tenth of its time.
	policy.Spec.MatchConditions = []admissionv1.MatchCondition{{
		Name: "marks-differ",
		Expression: k.cel(`request.operation == 'CREATE' ? NEW_WITHOUT.exists(k, object.metadata.?annotations[?k].hasValue()) :
object.metadata.?annotations != oldObject.metadata.?annotations &&
MARKS.exists(k, object.metadata.?annotations[?k] != oldObject.metadata.?annotations[?k]) &&
(request.userInfo.username != ` + quote(id.Username()) + ` || (has(request.subResource) && request.subResource == 'status') ||
RECORD.exists(k, object.metadata.?annotations[?k].hasValue()))`),
	}}
	policy.Spec.Variables = slices.Concat([]admissionv1.Variable{
		{Name: "annotations", Expression: `object.metadata.?annotations.orValue({})`},
		{Name: "oldAnnotations", Expression: `request.operation == 'CREATE' ? {} : oldObject.metadata.?annotations.orValue({})`},
	}, k.holds(), []admissionv1.Variable{
		recorded(), counted(), mayOverride(planOfRecord),
		{Name: "operator", Expression: `request.userInfo.username == ` + quote(id.Username())},
		{Name: "lost", Expression: k.cel(k.CEL.Lost)},
		{Name: "guarded", Expression: k.cel(`
request.operation == 'CREATE' ? NEW_WITHOUT :
has(request.subResource) && request.subResource == 'status' ? MARKS :
(variables.recorded && variables.mayOverride ? [] : RECORD.filter(k, k in variables.annotations)) +
(variables.operator ? [] : OPERATORS) +
(variables.operator || variables.recorded && variables.mayOverride || variables.marked || !variables.wasHeld || !variables.paused ? [] :
  [HELD_BY, WISH]) +
(variables.operator || !variables.lost ? [] : [WISH])`)},
		{Name: "unearned", Expression: `variables.guarded.filter(k, variables.annotations[?k] != variables.oldAnnotations[?k])`},
	})
	policy.Spec.Mutations = jsonPatch(`
(has(object.metadata.annotations) || !variables.unearned.exists(k, k in variables.oldAnnotations) ? [] :
  [JSONPatch{op: 'add', path: '/metadata/annotations', value: {}}]) +
variables.unearned.map(k, k in variables.oldAnnotations ?
  JSONPatch{op: 'add', path: ANNOTATION + jsonpatch.escapeKey(k), value: variables.oldAnnotations[k]} :
  JSONPatch{op: 'remove', path: ANNOTATION + jsonpatch.escapeKey(k)})`)
	return policy
}
