// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func (k kind) overrideName() string { return "backstay-override-" + k.Resource }

// asked is an override in this write. It takes effect in the write that sets it: a value that was there before asks for
// nothing.
func asked() admissionv1.Variable {
	return admissionv1.Variable{Name: "asked", Expression: cel(`
OVERRIDE in variables.annotations && variables.annotations[?OVERRIDE] != variables.oldAnnotations[?OVERRIDE]`)}
}

// reasoned is whether it has a reason that can be recorded.
func reasoned() admissionv1.Variable {
	return admissionv1.Variable{Name: "reasoned", Expression: cel(`
variables.annotations[?OVERRIDE].orValue('').size() >= 1 &&
variables.annotations[?OVERRIDE].orValue('').size() <= MAX_REASON`)}
}

// recorded is the record of an override that was honoured earlier in this very write: by another policy, for another plan,
// or before a webhook made the API server ask again. The resourceVersion tells it from a record of old. The name of the plan
// after it makes the right to it known to the policy that has no plan.
func recorded() admissionv1.Variable {
	return admissionv1.Variable{Name: "recorded", Expression: cel(`
variables.annotations[?OVERRIDDEN_AT].orValue('').startsWith(string(oldObject.metadata.resourceVersion) + '/') &&
variables.annotations[?OVERRIDDEN_BY] == optional.of(request.userInfo.username) &&
OVERRIDE_REASON in variables.annotations`)}
}

// planOfRecord is the name of the plan in a record that counts as recorded, as CEL.
const planOfRecord = `variables.annotations[?OVERRIDDEN_AT].orValue('').replace(string(oldObject.metadata.resourceVersion) + '/', '', 1)`

// counted is whether an override of this user counts at all: that of a ServiceAccount only where the namespace names it.
// Many ServiceAccounts are bound to a role that allows everything, those of GitOps tools among them, and so to a verb that
// nobody ever meant to give them.
func counted() admissionv1.Variable {
	return admissionv1.Variable{Name: "counted", Expression: cel(`
!request.userInfo.username.startsWith('system:serviceaccount:') ||
[namespaceObject.?metadata.?annotations[?OVERRIDE_ACCOUNTS].orValue('')].exists(names, names.size() <= 4096 &&
  names.split(',').exists(name,
    name.trim() == request.userInfo.username.replace('system:serviceaccount:', '', 1).replace(':', '/')))`)}
}

// mayOverride is the right to override the plan of this name, as CEL. It is asked last wherever it is asked: it is the one
// costly question.
func mayOverride(plan string) admissionv1.Variable {
	return admissionv1.Variable{Name: "mayOverride", Expression: cel(`
variables.counted &&
authorizer.group(GROUP).resource('drplans').namespace(request.namespace).name(` + plan + `).check(VERB).allowed()`)}
}

// planOfParams is the name of the plan that a policy is evaluated for.
const planOfParams = `params.metadata.name`

// howToOverride ends a message to somebody who may not override the plan of this name, as CEL.
func howToOverride(plan string) string {
	return `(variables.counted ?
'needs the verb ' + VERB + ' on drplans.' + GROUP + ' ' + ` + plan + ` + ' in namespace ' + request.namespace +
' (the ClusterRole backstay-override has it)' :
'counts from a ServiceAccount only where the annotation ' + OVERRIDE_ACCOUNTS + ' of the namespace ' +
request.namespace + ' names it, whatever its roles allow')`
}

// overridePolicy denies an override that had no effect: whoever asks for one in an emergency must hear of it at once. An
// override that was honoured is gone by now, and its record stands in its place. It needs no plan, so that it speaks where
// the API server knows of none. One that was refused for want of the right is denied by the backstop, which knows the plan,
// and that of the operator by the policy that bounds it.
func (k kind) overridePolicy(id Identity) *admissionv1.ValidatingAdmissionPolicy {
	invalid := metav1.StatusReasonInvalid
	policy := k.validating(k.overrideName(), nil, harmless())
	policy.Spec.MatchConditions = []admissionv1.MatchCondition{{
		Name: "override-asked",
		Expression: cel(`object.metadata.?annotations[?OVERRIDE].hasValue() &&
object.metadata.?annotations[?OVERRIDE] != oldObject.metadata.?annotations[?OVERRIDE] &&
request.userInfo.username != ` + quote(id.Username())),
	}}
	policy.Spec.Variables = append(append(annotations(), k.holds()...), k.revision(restarts), holdable(), reasoned())
	policy.Spec.Validations = []admissionv1.Validation{
		{
			Expression: `variables.reasoned`,
			Message:    cel("the value of the annotation OVERRIDE must be the reason of the override, 1 to MAX_REASON characters"),
			Reason:     &invalid,
		},
		{
			Expression: `!variables.reasoned || variables.holdable`,
			Message:    "there is nothing to override: the workload is not held, and this write changes no pod template",
			MessageExpression: cel(`
'there is nothing to override: ' + oldObject.metadata.name +
' is not held, and this write does not change its pod template; set the annotation ' + OVERRIDE +
' in the write that changes it, or while it is held'`),
			Reason: &invalid,
		},
		{
			Expression: `!variables.reasoned || !variables.holdable || variables.held`,
			Message:    "nothing honoured the override, and nothing was stored",
			MessageExpression: cel(`
'nothing honoured the override of ' + oldObject.metadata.name + ', and nothing was stored. Either no DRPlan holds it, and ' +
'the write needs no annotation ' + OVERRIDE + '; or the plan or the policy ` + k.holdName() + ` ' +
'is too new for this API server: retry in a few seconds, then see the condition Gated: ' +
'kubectl -n ' + request.namespace + ' get drplans -o wide'`),
			Reason: &invalid,
		},
	}
	return policy
}
