// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

const metadataName = operatorName + "-metadata"

// metadataPolicy takes back every label and annotation of somebody else's that the operator's own writes bring, change or
// remove: the tracking label of a GitOps tool, one that exempts from a policy, one that keeps something out of backups.
//
// It takes back and does not deny, since a mutating webhook may add its own to any write, and what is denied for that
// could never be released. Policies mutate before webhooks do, and this one is not asked again after them: what it sees is
// what the operator sent.
func metadataPolicy(id Identity) *admissionv1.MutatingAdmissionPolicy {
	on := operations(veleroGroup, "*", backups, admissionv1.Create, admissionv1.Update)
	on.ResourceRules = append(on.ResourceRules, operations(v1alpha1.GroupName, "*", releases, admissionv1.Create).ResourceRules...)
	on.ResourceRules = append(rulesOfKinds(), on.ResourceRules...)
	return &admissionv1.MutatingAdmissionPolicy{
		TypeMeta:   typeMeta("MutatingAdmissionPolicy"),
		ObjectMeta: objectMeta(metadataName),
		Spec: admissionv1.MutatingAdmissionPolicySpec{
			MatchConstraints: on,
			// A mutation that changes nothing would cost each admission of a workload a tenth of its time.
			MatchConditions: []admissionv1.MatchCondition{{
				Name: "operator-writes-what-is-not-ours", Expression: differs(id, "labels", "annotations"),
			}},
			Variables: []admissionv1.Variable{
				{Name: "labels", Expression: `object.metadata.?labels.orValue({})`},
				{Name: "oldLabels", Expression: `request.operation == 'CREATE' ? {} : oldObject.metadata.?labels.orValue({})`},
				{Name: "annotations", Expression: `object.metadata.?annotations.orValue({})`},
				{Name: "oldAnnotations", Expression: `request.operation == 'CREATE' ? {} : oldObject.metadata.?annotations.orValue({})`},
				{Name: "foreignLabels", Expression: foreign("labels", "oldLabels")},
				{Name: "foreignAnnotations", Expression: foreign("annotations", "oldAnnotations")},
			},
			Mutations: []admissionv1.Mutation{{
				PatchType: admissionv1.PatchTypeJSONPatch,
				JSONPatch: &admissionv1.JSONPatch{Expression: restore("labels", "foreignLabels", "oldLabels") + " +\n" +
					restore("annotations", "foreignAnnotations", "oldAnnotations")},
			}},
			FailurePolicy:      closed(),
			ReinvocationPolicy: admissionv1.NeverReinvocationPolicy,
		},
	}
}

// rulesOfKinds match updates of every kind of workload.
func rulesOfKinds() []admissionv1.NamedRuleWithOperations {
	var rules []admissionv1.NamedRuleWithOperations
	for _, k := range kinds() {
		rules = append(rules, k.updates().ResourceRules...)
	}
	return rules
}

// foreign lists the keys of others that differ between two maps.
func foreign(now, before string) string {
	return operatorCEL(`variables.` + now + `.filter(k, !k.startsWith(OURS) && variables.` + now + `[?k] != variables.` + before + `[?k]) +
variables.` + before + `.filter(k, !k.startsWith(OURS) && !(k in variables.` + now + `))`)
}

// differs is whether the operator writes, and a key of others differs in one of these fields.
func differs(id Identity, fields ...string) string {
	parts := make([]string, 0, len(fields))
	for _, field := range fields {
		parts = append(parts, strings.ReplaceAll(`
object.metadata.?FIELD.orValue({}).exists(k, !k.startsWith(OURS) && (request.operation == 'CREATE' ||
  object.metadata.?FIELD[?k] != oldObject.metadata.?FIELD[?k])) ||
request.operation != 'CREATE' && oldObject.metadata.?FIELD.orValue({}).exists(k, !k.startsWith(OURS) &&
  !object.metadata.?FIELD[?k].hasValue())`, "FIELD", field))
	}
	return operatorCEL(`request.userInfo.username == ` + quote(id.Username()) + ` && (` + strings.Join(parts, " ||") + `)`)
}

// restore makes of keys what they were before.
func restore(field, keys, before string) string {
	return `(has(object.metadata.` + field + `) || variables.` + keys + `.size() == 0 ? [] :
  [JSONPatch{op: 'add', path: '/metadata/` + field + `', value: {}}]) +
variables.` + keys + `.map(k, k in variables.` + before + ` ?
  JSONPatch{op: 'add', path: '/metadata/` + field + `/' + jsonpatch.escapeKey(k), value: variables.` + before + `[k]} :
  JSONPatch{op: 'remove', path: '/metadata/` + field + `/' + jsonpatch.escapeKey(k)})`
}
