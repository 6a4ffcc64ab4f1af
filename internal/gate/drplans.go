// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

func operationsOnPlans(on ...admissionv1.OperationType) *admissionv1.MatchResources {
	return operations(v1alpha1.GroupName, v1alpha1.GroupVersion.Version, "drplans", on...)
}

// plansName is the policy that guards the plans themselves.
const plansName = "backstay-guard-drplans"

// plansPolicy keeps a plan from being deleted or weakened while it holds something, by whoever has no right to override
// it: that would start what is held, without the record that an override leaves. What a plan holds is known from its status.
//
// A namespace that goes takes its plans along, and so does the kind DRPlan, whose objects no admission is asked about. An owner
// does not while the plan holds something: whoever may edit a plan may name an owner that does not exist. The garbage collector
// tries again until nothing is held.
//
// It also keeps plans small and few.
func plansPolicy() *admissionv1.ValidatingAdmissionPolicy {
	policy := validating(plansName, nil, harmless())
	policy.Spec.MatchConstraints = operationsOnPlans(admissionv1.Create, admissionv1.Update, admissionv1.Delete)
	policy.Spec.Variables = planVariables()
	policy.Spec.Validations = append(planBounds(),
		guardValidation(`!variables.holding || variables.exempt || request.operation != 'DELETE' || variables.allowed`,
			`deleting it`),
		guardValidation(`!variables.holding || variables.exempt || !variables.ends || variables.allowed`,
			`taking its last finalizer off`),
		guardValidation(`!variables.holding || variables.exempt || variables.weakened == '' || variables.allowed`,
			`changing ' + variables.weakened + '`),
	)
	return policy
}

func planVariables() []admissionv1.Variable {
	return []admissionv1.Variable{
		{Name: "holding", Expression: `request.operation != 'CREATE' && (
oldObject.?status.?heldCount.orValue(0) > 0 || oldObject.?status.?held.orValue([]).size() > 0)`},
		{Name: "exempt", Expression: `
namespaceObject.?metadata.?deletionTimestamp.hasValue() || request.userInfo.username == `[1:] + namespaceController},
		// A plan that was deleted while it held nothing, and that a finalizer kept, goes with its last finalizer.
		{Name: "ends", Expression: `request.operation == 'UPDATE' && oldObject.metadata.?deletionTimestamp.hasValue() &&
object.metadata.?finalizers.orValue([]).size() == 0`},
		{Name: "name", Expression: `request.operation == 'CREATE' ? '' : oldObject.metadata.name`},
		{Name: "gate", Expression: `object.?spec.?gate.orValue({})`},
		{Name: "oldGate", Expression: `oldObject.?spec.?gate.orValue({})`},
		{Name: "labels", Expression: `object.?spec.?workloads.?matchLabels.orValue({})`},
		{Name: "oldLabels", Expression: `oldObject.?spec.?workloads.?matchLabels.orValue({})`},
		{Name: "weakened", Expression: cel(weakened)},
		counted(),
		mayOverride(`variables.name`),
		// Who collects garbage acts on the word of others, and has every right where all controllers are one user.
		{Name: "allowed", Expression: `!(request.userInfo.username in [` + garbageCollector + `, ` + controllerManager + `]) && variables.mayOverride`},
	}
}

// weakened is the first field whose change may start what is held, or nothing. Fewer labels select at least what more did. What
// means a restart decides which revision was admitted, whether an annotation is added or taken away.
const weakened = `
request.operation != 'UPDATE' ? '' :
variables.oldGate.?mode.orValue('') == HOLD && variables.gate.?mode.orValue('') != HOLD ? 'spec.gate.mode' :
variables.gate.?onDeadline.orValue('') == 'Release' && variables.oldGate.?onDeadline.orValue('') != 'Release' ? 'spec.gate.onDeadline' :
variables.gate.?onDeadline.orValue('') == 'Release' &&
  variables.gate.?deadlineSeconds.orValue(0) < variables.oldGate.?deadlineSeconds.orValue(0) ? 'spec.gate.deadlineSeconds' :
!variables.labels.all(k, variables.oldLabels[?k] == optional.of(variables.labels[k])) ? 'spec.workloads.matchLabels' :
variables.gate.?restartAnnotations.orValue([]).exists(k, !(k in variables.oldGate.?restartAnnotations.orValue([]))) ||
variables.oldGate.?restartAnnotations.orValue([]).exists(k, !(k in variables.gate.?restartAnnotations.orValue([]))) ?
  'spec.gate.restartAnnotations' : ''`

func guardValidation(expression, doing string) admissionv1.Validation {
	forbidden := metav1.StatusReasonForbidden
	return admissionv1.Validation{
		Expression: expression,
		Message:    "the DRPlan holds workloads: deleting or weakening it needs the verb override on it",
		MessageExpression: cel(`
'DRPlan ' + variables.name + ' holds workloads of namespace ' + request.namespace + ', and ` + doing + ` would start them ' +
'without a backup: for user ' + request.userInfo.username + ' that ' + ` + howToOverride(`variables.name`) + ` +
'. Or wait until it holds nothing: kubectl -n ' + request.namespace + ' get drplan ' + variables.name + ' -o wide'`),
		Reason: &forbidden,
	}
}
