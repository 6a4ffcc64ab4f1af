// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

func (k kind) evaluatedName() string { return "backstay-evaluated-" + k.Resource }

func (k kind) strictName() string { return "backstay-strict-" + k.Resource }

// evaluatedPolicy proves, in namespaces that are labelled strict, that the API server knew the namespace's plans when a
// template was changed: any of them, whatever it selects, writes the resourceVersion that the write builds on. Nothing else
// tells a namespace without plans from one whose plans the API server has not read yet, after the kind DRPlan came back
// for example.
//
// It begins with the question that the policy that holds asks: where that one fails, this one does too.
func (k kind) evaluatedPolicy() *admissionv1.MutatingAdmissionPolicy {
	policy := k.mutating(k.evaluatedName(), paramKind())
	policy.Spec.MatchConstraints.NamespaceSelector = strictNamespaces()
	policy.Spec.MatchConditions = []admissionv1.MatchCondition{{
		Name: "changed-and-not-evaluated",
		Expression: cel(`object.metadata.?annotations[?EVALUATED] != optional.of(oldObject.metadata.resourceVersion) && (
` + k.changed(restartsOfPlan) + ` ||
` + k.changed(restarts) + `)`),
	}}
	policy.Spec.Mutations = jsonPatch(`
(has(object.metadata.annotations) ? [] : [JSONPatch{op: 'add', path: '/metadata/annotations', value: {}}]) +
[JSONPatch{op: 'add', path: ANNOTATION + jsonpatch.escapeKey(EVALUATED), value: oldObject.metadata.resourceVersion}]`)
	return policy
}

// strictPolicy refuses a changed template in such a namespace where no plan was asked. That it is held proves nothing: anybody can
// write the pause and the mark of a hold. The policy needs no plan itself, so that it can fail closed: what changes no template is
// never in its way.
func (k kind) strictPolicy() *admissionv1.ValidatingAdmissionPolicy {
	invalid := metav1.StatusReasonInvalid
	policy := k.validating(k.strictName(), nil, closed())
	policy.Spec.MatchConstraints.NamespaceSelector = strictNamespaces()
	policy.Spec.Variables = append(annotations(), k.revision(restarts))
	policy.Spec.Validations = []admissionv1.Validation{{
		Expression: cel(`
variables.annotations[?EVALUATED] == optional.of(oldObject.metadata.resourceVersion) ||
!variables.changed`),
		Message: "the gate is not ready, and the namespace is labelled strict",
		MessageExpression: cel(`
'namespace ' + request.namespace + ' is labelled ` + v1alpha1.LabelGate + `=` + v1alpha1.GateStrict + `, and no DRPlan was ' +
'asked about this change of the pod template of ' + oldObject.metadata.name + '; nothing was stored. The gate is not ready: ' +
'retry in a few seconds, then see the condition Gated: kubectl -n ' + request.namespace + ' get drplans -o wide. ' +
'A namespace that has no plan must not carry the label'`),
		Reason: &invalid,
	}}
	return policy
}

func strictNamespaces() *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{v1alpha1.LabelGate: v1alpha1.GateStrict}}
}
