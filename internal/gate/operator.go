// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// operatorName is the policy that limits the operator's own identity.
const operatorName = "backstay-operator"

func (k kind) operatorPolicyName() string { return operatorName + "-" + k.resource }

// operatorPolicy bounds what the operator's token is good for. RBAC can only say "patch deployments", which would be
// every image of the cluster; this says "of the spec nothing but the field that holds". It needs no plan, so that it
// holds in every namespace. A dry run is free: the probe sends a changed template.
func (k kind) operatorPolicy(id Identity) *admissionv1.ValidatingAdmissionPolicy {
	forbidden := metav1.StatusReasonForbidden
	return &admissionv1.ValidatingAdmissionPolicy{
		TypeMeta:   typeMeta("ValidatingAdmissionPolicy"),
		ObjectMeta: objectMeta(k.operatorPolicyName()),
		Spec: admissionv1.ValidatingAdmissionPolicySpec{
			MatchConstraints: k.updates(),
			MatchConditions: []admissionv1.MatchCondition{
				{Name: "operator-writes", Expression: `request.userInfo.username == ` + quote(id.Username())},
				{Name: "not-a-dry-run", Expression: `!request.dryRun`},
			},
			Validations: []admissionv1.Validation{
				{
					Expression: k.frozenSpec(),
					Message:    "the operator may only release a hold, and must not change anything else of a workload's spec",
					Reason:     &forbidden,
				},
				{
					Expression: frozenMetadata,
					Message:    "the operator must not change the finalizers or the owners of a workload",
					Reason:     &forbidden,
				},
			},
			FailurePolicy: closed(),
		},
	}
}

func (k kind) frozenSpec() string {
	same := make([]string, 0, len(k.frozen))
	for _, path := range k.frozen {
		same = append(same, "object."+path+" == oldObject."+path)
	}
	return strings.Join(same, " &&\n")
}

// frozenMetadata leaves labels and annotations alone: a webhook may add its own to any write, and a release that is
// refused for that would be held for ever.
const frozenMetadata = `object.metadata.?finalizers == oldObject.metadata.?finalizers &&
object.metadata.?ownerReferences == oldObject.metadata.?ownerReferences`
