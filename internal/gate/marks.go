// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"slices"

	admissionv1 "k8s.io/api/admissionregistration/v1"
)

func (k kind) marksName() string { return "backstay-marks-" + k.resource }

// marksPolicy keeps our annotations what the other policies made them, in every namespace and whether a plan looks or not.
//
//   - The status of a workload is written by controllers, and its annotations with it: nobody takes a hold off, or writes a
//     record, by that door.
//   - The record of an override that a write brings and did not earn, copied by hand or by `kubectl rollout undo` from a
//     ReplicaSet, becomes again what it was. Whoever removes a record may.
//
// It takes back and does not deny, since most who bring a record do not know that they do.
func (k kind) marksPolicy() *admissionv1.MutatingAdmissionPolicy {
	constraints := k.updates()
	constraints.ResourceRules[0].Resources = append(constraints.ResourceRules[0].Resources, k.resource+"/status")
	return &admissionv1.MutatingAdmissionPolicy{
		TypeMeta:   typeMeta("MutatingAdmissionPolicy"),
		ObjectMeta: objectMeta(k.marksName()),
		Spec: admissionv1.MutatingAdmissionPolicySpec{
			MatchConstraints: constraints,
			MatchConditions: []admissionv1.MatchCondition{{
				Name:       "marks-differ",
				Expression: cel(`MARKS.exists(k, object.metadata.?annotations[?k] != oldObject.metadata.?annotations[?k])`),
			}},
			Variables: slices.Concat(annotations(), []admissionv1.Variable{
				recorded(),
				{Name: "guarded", Expression: cel(`
has(request.subResource) && request.subResource == 'status' ? MARKS :
variables.recorded ? [] : RECORD.filter(k, k in variables.annotations)`)},
				{Name: "unearned", Expression: `variables.guarded.filter(k, variables.annotations[?k] != variables.oldAnnotations[?k])`},
			}),
			Mutations: []admissionv1.Mutation{{
				PatchType: admissionv1.PatchTypeJSONPatch,
				JSONPatch: &admissionv1.JSONPatch{Expression: cel(`
(has(object.metadata.annotations) || !variables.unearned.exists(k, k in variables.oldAnnotations) ? [] :
  [JSONPatch{op: 'add', path: '/metadata/annotations', value: {}}]) +
variables.unearned.map(k, k in variables.oldAnnotations ?
  JSONPatch{op: 'add', path: ANNOTATION + jsonpatch.escapeKey(k), value: variables.oldAnnotations[k]} :
  JSONPatch{op: 'remove', path: ANNOTATION + jsonpatch.escapeKey(k)})`)},
			}},
			FailurePolicy:      harmless(),
			ReinvocationPolicy: admissionv1.IfNeededReinvocationPolicy,
		},
	}
}
