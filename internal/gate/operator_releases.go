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
// could have them all backed up.
func releasesPolicy(id Identity) *admissionv1.ValidatingAdmissionPolicy {
	on := operations(v1alpha1.GroupName, "*", releases, admissionv1.Create)
	return boundsPolicy(operatorOnReleases, on, operatorWrites(id), nil, []bound{
		{
			`dyn(object.spec).all(k, k in ['plan', 'version'] || k == 'intent' && object.spec.intent == '` + string(v1alpha1.IntentRecord) + `')`,
			"the operator may only record that a version of a plan exists",
		},
		{
			`object.metadata.?finalizers.orValue([]).size() == 0 && object.metadata.?ownerReferences.orValue([]).size() == 0`,
			"the operator must not create a release with finalizers or owners",
		},
	})
}
