// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// The API server decodes every plan of a namespace, as a whole and several times, for every write of a workload there. So
// plans must be few and small. Of their spec the schema sees to it.
const (
	maxPlanKeys = 1000  // labels, and annotations: whoever counts the characters of more runs into the cost limit
	maxPlanText = 16384 // characters of labels and annotations in all
	maxPlanList = 16    // finalizers, owners, and managers of fields, each of which lists the fields that it manages
)

const countName = "backstay-count-drplans"

// countedField is a field of a plan, as CEL. No schema knows it: what a request brings there is dropped before admission, and
// what admission writes there is dropped by whoever reads it.
const countedField = `dyn(object)[?'counted'].orValue('')`

// countPolicy counts the plans of a namespace when another is created there: it is evaluated for each of them, and each adds
// a dot. No expression can count them by itself.
func countPolicy() *admissionv1.MutatingAdmissionPolicy {
	policy := mutating(countName, paramKind())
	policy.Spec.MatchConstraints = operationsOnPlans(admissionv1.Create)
	policy.Spec.ReinvocationPolicy = admissionv1.NeverReinvocationPolicy
	policy.Spec.Mutations = jsonPatch(`[JSONPatch{op: 'add', path: '/counted', value: COUNTED + '.'}]`)
	return policy
}

// planBounds refuse what makes plans large or many. A plan that goes may lose its finalizers whatever its size.
func planBounds() []admissionv1.Validation {
	invalid := metav1.StatusReasonInvalid
	const exempt = `request.operation == 'DELETE' || object.metadata.?deletionTimestamp.hasValue() || `
	return []admissionv1.Validation{
		{
			Expression: exempt + fmt.Sprintf(`
[object.metadata.?labels.orValue({}), object.metadata.?annotations.orValue({})].all(m, m.size() <= %d) &&
[object.metadata.?labels.orValue({}), object.metadata.?annotations.orValue({})].map(m,
  m.map(k, k.size() + string(m[k]).size()).sum()).sum() <= %d`, maxPlanKeys, maxPlanText)[1:],
			Message: fmt.Sprintf("the labels and annotations of a DRPlan must have at most %d characters in all, and be at most %d each: "+
				"the API server reads them at every write of a workload in the namespace", maxPlanText, maxPlanKeys),
			Reason: &invalid,
		},
		{
			Expression: exempt + fmt.Sprintf(`
[object.metadata.?finalizers, object.metadata.?ownerReferences, object.metadata.?managedFields].all(l,
  l.orValue([]).size() <= %d)`, maxPlanList)[1:],
			Message: fmt.Sprintf("a DRPlan must have at most %d finalizers, owners and managers of its fields each: "+
				"the API server reads them at every write of a workload in the namespace", maxPlanList),
			Reason: &invalid,
		},
		{
			Expression: cel(fmt.Sprintf(`request.operation != 'CREATE' || COUNTED.size() < %d`, v1alpha1.MaxPlans)),
			Message: fmt.Sprintf("a namespace must have at most %d DRPlans: the API server reads all of them at every write of a workload there",
				v1alpha1.MaxPlans),
			Reason: &invalid,
		},
	}
}
