// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	admissionv1 "k8s.io/api/admissionregistration/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

const operatorOnReleases = operatorName + "-" + releases

// releasesPolicy bounds the releases that the operator's token may create: a version of a plan, and no word about what it
// is made of. With artifacts it could tell every plan of the cluster what its workloads run; with the intent Deploy it
// could have them all backed up. And those that it may delete, once its plan keeps enough of them: never one by which
// something goes on, nor one that belongs to somebody else.
func releasesPolicy(id Identity) *admissionv1.ValidatingAdmissionPolicy {
	on := operations(v1alpha1.GroupName, "*", releases, admissionv1.Create, admissionv1.Delete)
	facts := []admissionv1.Variable{
		{Name: "creates", Expression: `request.operation == 'CREATE'`},
		{Name: "deletes", Expression: `request.operation == 'DELETE'`},
	}
	return boundsPolicy(operatorOnReleases, on, operatorWrites(id), facts, []bound{
		{
			`!variables.creates || dyn(object.spec).all(k, k in ['plan', 'version'] || k == 'intent' && object.spec.intent == '` +
				string(v1alpha1.IntentRecord) + `')`,
			"the operator may only record that a version of a plan exists",
		},
		{
			`!variables.creates || object.metadata.?finalizers.orValue([]).size() == 0 && object.metadata.?ownerReferences.orValue([]).size() == 0`,
			"the operator must not create a release with finalizers or owners",
		},
		{
			`!variables.deletes || oldObject.?status.?rollouts.orValue([]).all(r, has(r.outcome)) &&
oldObject.metadata.?ownerReferences.orValue([]).size() == 0`,
			"the operator may only delete a release that belongs to nobody and of which every rollout has ended",
		},
	})
}
