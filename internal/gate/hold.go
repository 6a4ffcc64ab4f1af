// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"slices"

	admissionv1 "k8s.io/api/admissionregistration/v1"
)

// holdName is what error messages and our own conditions call the policy and its binding.
func (k kind) holdName() string { return "backstay-hold-" + k.Resource }

// holdPolicy is the policy that mutates. It is a JSON patch, since an ApplyConfiguration cannot remove anything. The
// API server computes managedFields before admission: nobody owns what the patch sets.
func (k kind) holdPolicy(id Identity) *admissionv1.MutatingAdmissionPolicy {
	policy := k.mutating(k.holdName(), paramKind())
	policy.Spec.MatchConditions = k.condition(id, selects+" || "+probing(id))
	policy.Spec.Variables = slices.Concat(annotations(), k.holds(), []admissionv1.Variable{
		k.revision(restartsOfPlan), holdable(), k.canHold(), k.wish(), asked(), reasoned(), recorded(), counted(), mayOverride(planOfParams),
	}, answerFacts(id, selects), k.verdicts())
	policy.Spec.Mutations = jsonPatch(k.patch())
	return policy
}

// verdicts decide. They are asked anew for every plan, and again when a webhook changed the workload afterwards, so
// they must come to the same result on a workload that was patched already.
func (k kind) verdicts() []admissionv1.Variable {
	return []admissionv1.Variable{
		{Name: "honoured", Expression: cel(`
variables.holdable && ((variables.asked && variables.reasoned) || variables.recorded) && variables.mayOverride`)},
		{Name: "heldByAnother", Expression: `variables.held && (` + k.changed(restarts) + `)`},
		{Name: "hold", Expression: `variables.holdable && variables.canHold && !variables.honoured`},
		// An override releases what was held, in the write that asks for it. One that is recorded has done so.
		{Name: "override", Expression: `variables.honoured && !variables.recorded`},
		{Name: "holder", Expression: cel(holder)},
		{Name: "set", Expression: k.cel(`
variables.hold ? (
  variables.wish == '' ? {HELD_BY: variables.holder} : {HELD_BY: variables.holder, WISH: variables.wish}
) : variables.override ? {
  OVERRIDE_REASON: string(variables.annotations[OVERRIDE]),
  OVERRIDDEN_BY: request.userInfo.username,
  OVERRIDDEN_AT: string(oldObject.metadata.resourceVersion) + '/' + string(params.metadata.name)
} : {}`)},
		// What is not held carries no mark of a hold: a stale one, or one set by hand, would turn the next
		// `rollout pause` into a hold. But what is only a restart to this plan may be a revision to another, which has just
		// held it. An override that was stored before a plan held the workload is taken away, or
		// `kubectl rollout undo` would replay it. One that was refused stays, for the backstop to deny.
		{Name: "drop", Expression: k.cel(`
[HELD_BY, WISH, OVERRIDE].filter(k, k in variables.annotations && (
  k == OVERRIDE ? variables.override || !variables.asked :
  k == WISH && variables.hold ? variables.wish == '' :
  variables.honoured || (!variables.hold && !variables.heldByAnother)))`)},
	}
}

// holder is the mark of the plan that holds. What is held stays with the plan that its mark names: whatever the order in which
// the plans are asked, another one, with a deadline that is sooner, does not take it. Only a plan that the workload leaves in
// this very write puts its own name, since the other may be gone, and nobody would hold the workload any more. Where the other
// is not gone, the backstop refuses that for it. A probe asks about the plans of now.
const holder = `
variables.wasHeld && !variables.probing && ` + labelled + ` ?
  string(variables.oldAnnotations[HELD_BY]) : request.namespace + '/' + string(params.metadata.name)`

// patch is the list of operations. JSON patch's add replaces what is there.
func (k kind) patch() string {
	return answered(`(
(variables.hold ? ` + k.CEL.Engage + ` : []) +
(variables.override && variables.paused ? ` + k.CEL.Release + ` : []) +
variables.set.map(k,
  JSONPatch{op: 'add', path: ANNOTATION + jsonpatch.escapeKey(k), value: variables.set[k]}) +
variables.drop.map(k,
  JSONPatch{op: 'remove', path: ANNOTATION + jsonpatch.escapeKey(k)}))`)
}
