// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func (k kind) revisionsName() string { return "backstay-revisions-" + k.revisions }

// controllers are the identities of the controllers of Kubernetes itself: each has a ServiceAccount, but where the
// controller manager runs without --use-service-account-credentials all of them are one user.
const (
	controllerManager    = `'system:kube-controller-manager'`
	deploymentController = `'system:serviceaccount:kube-system:deployment-controller'`
	namespaceController  = `'system:serviceaccount:kube-system:namespace-controller'`
	garbageCollector     = `'system:serviceaccount:kube-system:generic-garbage-collector'`
)

// revisionsPolicy keeps a revision of a workload what its controller made it: an edited template would run under a hold,
// and under the record of another start. Their controller is passed first, since it is who scales them.
func (k kind) revisionsPolicy() *admissionv1.ValidatingAdmissionPolicy {
	forbidden := metav1.StatusReasonForbidden
	policy := k.validating(k.revisionsName(), nil, harmless())
	policy.Spec.MatchConstraints.ResourceRules[0].Resources = []string{k.revisions, k.revisions + "/status"}
	policy.Spec.MatchConditions = []admissionv1.MatchCondition{{
		Name: "edited-by-another",
		Expression: cel(`!(request.userInfo.username in [` + deploymentController + `, ` + controllerManager + `]) &&
(` + quote(k.revisionLabel) + ` in oldObject.metadata.?labels.orValue({}) ||
  oldObject.metadata.?ownerReferences.orValue([]).exists(o, o.kind == ` + quote(string(k.name)) + ` && o.?controller.orValue(false))) &&
(object.metadata.?annotations[?ADMITTED] != oldObject.metadata.?annotations[?ADMITTED] ||
  (!has(request.subResource) && object.spec.template != oldObject.spec.template))`),
	}}
	policy.Spec.Validations = []admissionv1.Validation{{
		Expression: "false",
		Message:    "a revision of a workload must be changed by its controller only",
		MessageExpression: cel(`
'user ' + request.userInfo.username + ' must not change the pod template of ` + k.revisions + ` ' + oldObject.metadata.name +
', nor its annotation ' + ADMITTED + ': it is a revision of a ` + string(k.name) + `. Change the ` + string(k.name) + ` instead'`),
		Reason: &forbidden,
	}}
	return policy
}
