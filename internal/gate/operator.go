// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// operatorName begins the names of the policies that limit the operator's own identity.
const operatorName = "backstay-operator"

func (k kind) operatorPolicyName() string { return operatorName + "-" + k.Resource }

// maxMark bounds what the operator may write into one annotation of a workload, in characters.
const maxMark = "4096"

// operatorCEL is cel with the names that only the policies of the operator use.
func operatorCEL(expression string) string { return operatorNames.Replace(cel(expression)) }

var operatorNames = strings.NewReplacer(
	"ADMITTED", quote(v1alpha1.AnnotationAdmitted),
	"HELD_REASON", quote(v1alpha1.AnnotationHeldReason),
	"MAX_MARK", maxMark,
	"OURS", quote(v1alpha1.GroupName+"/"),
)

// operatorPolicy bounds what the operator's token is good for. RBAC can only say "patch deployments", which would be
// every image of the cluster; this says "take our own hold off, and write our own marks". It needs no plan, so that it
// holds in every namespace. A dry run is free: the probe sends a changed template.
//
// Foreign labels and annotations are not looked at here: a webhook may add its own to any write, and a release that is
// refused for that would stay held for ever. What the operator itself brings was taken back by then, see metadataPolicy.
func (k kind) operatorPolicy(id Identity) *admissionv1.ValidatingAdmissionPolicy {
	conditions := append(operatorWrites(id), admissionv1.MatchCondition{Name: "not-a-dry-run", Expression: `!request.dryRun`})
	return boundsPolicy(k.operatorPolicyName(), k.updates(), conditions, k.operatorFacts(), []bound{
		{
			k.frozenSpec(),
			"the operator may only release a hold, and must not change anything else of a workload's spec",
		},
		{
			k.cel(k.CEL.Bound),
			"the operator may only release its own hold: the workload must carry its mark, and lose it in the same write",
		},
		{
			frozenOwners,
			"the operator must not change the finalizers or the owners of a workload",
		},
		{
			operatorCEL(`[object, oldObject].all(o, o.metadata.?labels.orValue({}).all(k, !k.startsWith(OURS) ||
  object.metadata.?labels[?k] == oldObject.metadata.?labels[?k]))`),
			"the operator must not label a workload",
		},
		{
			operatorCEL(`[variables.annotations, variables.oldAnnotations].all(a, a.all(k, !k.startsWith(OURS) ||
  variables.annotations[?k] == variables.oldAnnotations[?k] ||
  k in variables.annotations && k in variables.maySet && variables.annotations[k].size() <= MAX_MARK ||
  !(k in variables.annotations) && k in variables.mayRemove))`),
			"the operator may only write the marks of a hold that it found, and must not write the record of an override",
		},
	})
}

// operatorFacts are what the bounds of the operator's own writes rest on.
func (k kind) operatorFacts() []admissionv1.Variable {
	return append(annotations(), []admissionv1.Variable{
		{Name: "paused", Expression: k.holdingOf("object")},
		{Name: "wasPaused", Expression: k.holdingOf("oldObject")},
		{Name: "same", Expression: `variables.paused == variables.wasPaused`},
		{Name: "releases", Expression: cel(`
variables.wasPaused && !variables.paused &&
variables.oldAnnotations[?HELD_BY].orValue('').startsWith(request.namespace + '/') && !(HELD_BY in variables.annotations)`)},
		// The mark of a hold that somebody took off by hand may be put back, and nothing else may be marked as one.
		{Name: "marks", Expression: cel(`
variables.paused && variables.wasPaused && variables.annotations[?HELD_BY].orValue('').startsWith(request.namespace + '/')`)},
		{Name: "maySet", Expression: k.cel(`[ADMITTED, HELD_REASON] + (variables.marks ? [HELD_BY, WISH] : [])`)},
		{Name: "mayRemove", Expression: k.cel(`[HELD_BY, WISH, ADMITTED, HELD_REASON] + RECORD`)},
	}...)
}

// frozenSpec compares every field of the spec but the one that holds, those of later versions of Kubernetes included.
// Through dyn, since the type checker knows a spec as a struct, which has no keys.
func (k kind) frozenSpec() string {
	return strings.ReplaceAll(`[object, oldObject].all(o, dyn(o.spec).all(k, k == FIELD || dyn(object.spec)[?k] == dyn(oldObject.spec)[?k]))`,
		"FIELD", quote(k.CEL.Field))
}

const frozenOwners = `object.metadata.?finalizers == oldObject.metadata.?finalizers &&
object.metadata.?ownerReferences == oldObject.metadata.?ownerReferences`

// bound is a rule about the operator's own writes, and what it says when it is broken.
type bound struct{ expression, message string }

// operatorWrites matches what the operator itself writes.
func operatorWrites(id Identity) []admissionv1.MatchCondition {
	return []admissionv1.MatchCondition{{Name: "operator-writes", Expression: `request.userInfo.username == ` + quote(id.Username())}}
}

// boundsPolicy denies what breaks one of the bounds, and fails closed: it needs no plan that could be missing.
func boundsPolicy(
	name string, on *admissionv1.MatchResources, conditions []admissionv1.MatchCondition, facts []admissionv1.Variable, bounds []bound,
) *admissionv1.ValidatingAdmissionPolicy {
	forbidden := metav1.StatusReasonForbidden
	policy := &admissionv1.ValidatingAdmissionPolicy{
		TypeMeta:   typeMeta("ValidatingAdmissionPolicy"),
		ObjectMeta: objectMeta(name),
		Spec: admissionv1.ValidatingAdmissionPolicySpec{
			MatchConstraints: on, MatchConditions: conditions, Variables: facts, FailurePolicy: closed(),
		},
	}
	for _, b := range bounds {
		policy.Spec.Validations = append(policy.Spec.Validations,
			admissionv1.Validation{Expression: b.expression, Message: b.message, Reason: &forbidden})
	}
	return policy
}
