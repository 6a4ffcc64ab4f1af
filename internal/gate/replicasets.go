// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// controllers are the identities of the controllers of Kubernetes itself: each has a ServiceAccount, but where the
// controller manager runs without --use-service-account-credentials all of them are one user.
const (
	controllerManager   = `'system:kube-controller-manager'`
	namespaceController = `'system:serviceaccount:kube-system:namespace-controller'`
	garbageCollector    = `'system:serviceaccount:kube-system:generic-garbage-collector'`
)

// byAnother is whether the write is not by the controller of the revisions, who is asked about first: it is who scales them.
func (k kind) byAnother() string {
	return `!(request.userInfo.username in [` + quote(k.Controller) + `, ` + controllerManager + `])`
}

func (k kind) revisionMarksName() string { return "backstay-marks-" + k.Revisions.Resource }

// revisionMarksPolicy takes the record of an admission off a revision that somebody else creates: a workload adopts whatever
// its selector matches, and the record would explain why its pods run. It does not deny, since a restore brings the record
// along.
func (k kind) revisionMarksPolicy() *admissionv1.MutatingAdmissionPolicy {
	policy := k.mutating(k.revisionMarksName(), nil)
	policy.Spec.MatchConstraints = operations(k.Revisions.Group, k.Revisions.Version, k.Revisions.Resource, admissionv1.Create)
	policy.Spec.MatchConditions = []admissionv1.MatchCondition{{
		Name:       "admitted-by-another",
		Expression: cel(k.byAnother() + ` && object.metadata.?annotations[?ADMITTED].hasValue()`),
	}}
	policy.Spec.Mutations = jsonPatch(`
ADMITTED in object.metadata.?annotations.orValue({}) ?
  [JSONPatch{op: 'remove', path: ANNOTATION + jsonpatch.escapeKey(ADMITTED)}] : []`)
	return policy
}

func (k kind) revisionsName() string { return "backstay-revisions-" + k.Revisions.Resource }

// revisionsPolicy keeps a revision of a workload what its controller made it: an edited template would run under a hold, and
// under the record of another start. What only looks like a revision may be changed, but may not bring the record of one.
func (k kind) revisionsPolicy() *admissionv1.ValidatingAdmissionPolicy {
	forbidden := metav1.StatusReasonForbidden
	policy := k.validating(k.revisionsName(), nil, harmless())
	policy.Spec.MatchConstraints = operations(k.Revisions.Group, k.Revisions.Version, k.Revisions.Resource, admissionv1.Update)
	rule := &policy.Spec.MatchConstraints.ResourceRules[0]
	rule.Resources = append(rule.Resources, k.Revisions.Resource+"/status")
	policy.Spec.MatchConditions = []admissionv1.MatchCondition{{
		Name: "edited-by-another",
		Expression: cel(k.byAnother() + ` && (
object.metadata.?annotations[?ADMITTED] != oldObject.metadata.?annotations[?ADMITTED] ||
!has(request.subResource) && object.` + k.Revisions.Template + ` != oldObject.` + k.Revisions.Template + ` && (
  ` + quote(k.Revisions.Label) + ` in oldObject.metadata.?labels.orValue({}) ||
  oldObject.metadata.?ownerReferences.orValue([]).exists(o, o.kind == ` + quote(string(k.Name)) + ` && o.?controller.orValue(false))))`),
	}}
	policy.Spec.Validations = []admissionv1.Validation{{
		Expression: "false",
		Message:    "a revision of a workload must be changed by its controller only",
		MessageExpression: cel(`
'user ' + request.userInfo.username + ' must not change the pod template of ` + k.Revisions.Resource + ` ' + oldObject.metadata.name +
', nor its annotation ' + ADMITTED + ': it is a revision of a ` + string(k.Name) + `. Change the ` + string(k.Name) + ` instead'`),
		Reason: &forbidden,
	}}
	return policy
}
