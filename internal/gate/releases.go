// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

const (
	releases   = "appreleases"
	stampName  = "backstay-stamp-" + releases
	claimsName = "backstay-claims-" + releases
)

// releaseCEL is cel with the names that only the policies of releases use.
func releaseCEL(expression string) string { return releaseNames.Replace(cel(expression)) }

var releaseNames = strings.NewReplacer(
	"CREATED_BY", quote(v1alpha1.AnnotationCreatedBy),
	"ATTEST", quote(v1alpha1.VerbAttest),
	"MAX_NAME", "256",
)

// writes match the creation and update of a release; its status is the operator's.
func releaseWrites() *admissionv1.MatchResources {
	return operations(v1alpha1.GroupName, "*", releases, admissionv1.Create, admissionv1.Update)
}

// stampFacts are who a release says that created it, and who did.
func stampFacts() []admissionv1.Variable {
	return []admissionv1.Variable{
		{Name: "user", Expression: `request.userInfo.username`},
		// An identity provider may hand out names of any length, with characters that nobody sees or that turn the line.
		{Name: "name", Expression: releaseCEL(`
variables.user.matches(r'[\p{C}\p{Zl}\p{Zp}]') ? '(a name with unprintable characters)' :
variables.user.size() > MAX_NAME ? variables.user.substring(0, MAX_NAME) : variables.user`)},
		{Name: "stamped", Expression: releaseCEL(`object.metadata.?annotations[?CREATED_BY]`)},
		{Name: "stamp", Expression: releaseCEL(`
request.operation == 'CREATE' ? optional.of(variables.name) : oldObject.metadata.?annotations[?CREATED_BY]`)},
	}
}

// stampPolicy writes on every release who created it, and keeps that what it is.
//
// It stays out of the way where it cannot be evaluated: for some seconds after its start an API server does not know the
// schema of a custom resource, and would refuse every release. A release without a stamp is one of which nobody knows; the
// policy of the claims refuses a wrong one.
func stampPolicy() *admissionv1.MutatingAdmissionPolicy {
	return &admissionv1.MutatingAdmissionPolicy{
		TypeMeta:   typeMeta("MutatingAdmissionPolicy"),
		ObjectMeta: objectMeta(stampName),
		Spec: admissionv1.MutatingAdmissionPolicySpec{
			MatchConstraints: releaseWrites(),
			Variables:        stampFacts(),
			Mutations: []admissionv1.Mutation{{
				PatchType: admissionv1.PatchTypeJSONPatch,
				JSONPatch: &admissionv1.JSONPatch{Expression: releaseCEL(`
variables.stamped == variables.stamp ? [] :
!variables.stamp.hasValue() ? [JSONPatch{op: 'remove', path: ANNOTATION + jsonpatch.escapeKey(CREATED_BY)}] :
(has(object.metadata.annotations) ? [] : [JSONPatch{op: 'add', path: '/metadata/annotations', value: {}}]) +
[JSONPatch{op: 'add', path: ANNOTATION + jsonpatch.escapeKey(CREATED_BY), value: variables.stamp.value()}]`)},
			}},
			FailurePolicy:      harmless(),
			ReinvocationPolicy: admissionv1.IfNeededReinvocationPolicy,
		},
	}
}

// deployFacts are the rights to change workloads, one variable for each kind: the API server lets an expression ask for two rights
// before it costs too much.
func deployFacts() []admissionv1.Variable {
	var rights []admissionv1.Variable
	for _, k := range kinds() {
		rights = append(rights, admissionv1.Variable{Name: k.mayPatch(), Expression: `authorizer.group(` + quote(k.Group) + `).resource(` +
			quote(k.Resource) + `).namespace(request.namespace).check('patch').allowed()`})
	}
	return rights
}

func (k kind) mayPatch() string { return "mayPatch" + string(k.Name) }

// mayDeploy is the right to deploy, as CEL: to change workloads of one kind at least.
func mayDeploy() string {
	var rights []string
	for _, k := range kinds() {
		rights = append(rights, `variables.`+k.mayPatch())
	}
	return strings.Join(rights, " || ")
}

// workloadResources names the kinds of workload, as kubectl does.
func workloadResources() string {
	var names []string
	for _, k := range kinds() {
		names = append(names, k.GroupResource().String())
	}
	return strings.Join(names, " or ")
}

// claimsPolicy refuses what a release says and should not: that somebody else created it, and what its version is made of
// where its creator has no say in that. What is stored can then be relied on. Who may deploy can give any image any version by
// a label, and gains nothing by a release; who may only create releases could have a plan show a version that does not run.
func claimsPolicy() *admissionv1.ValidatingAdmissionPolicy {
	forbidden := metav1.StatusReasonForbidden
	facts := append(append(stampFacts(), deployFacts()...), admissionv1.Variable{Name: "claims", Expression: `
['artifacts', 'dataVersion', 'dataCompatibility'].exists(k, dyn(object.spec)[?k] != (
  request.operation == 'CREATE' ? optional.none() : dyn(oldObject.spec)[?k]))`[1:]})
	return &admissionv1.ValidatingAdmissionPolicy{
		TypeMeta:   typeMeta("ValidatingAdmissionPolicy"),
		ObjectMeta: objectMeta(claimsName),
		Spec: admissionv1.ValidatingAdmissionPolicySpec{
			MatchConstraints: releaseWrites(),
			Variables:        facts,
			Validations: []admissionv1.Validation{
				{
					Expression: releaseCEL(`
variables.stamped == variables.stamp || request.operation == 'CREATE' && !variables.stamped.hasValue()`),
					Message: "the annotation " + v1alpha1.AnnotationCreatedBy + " must not be set by hand: the gate sets it",
					Reason:  &forbidden,
				},
				{
					Expression: releaseCEL(`
!variables.claims ||
` + mayDeploy() + ` ||
authorizer.group(GROUP).resource('drplans').namespace(request.namespace).name(object.spec.plan).check(ATTEST).allowed()`),
					Message: "spec.artifacts, spec.dataVersion and spec.dataCompatibility need the right to deploy, or the verb attest on the DRPlan",
					MessageExpression: releaseCEL(`
'user ' + variables.name + ' may not say which images and data version ' + object.spec.version + ' is: leave out ' +
'spec.artifacts, spec.dataVersion and spec.dataCompatibility, or have somebody bind the ClusterRole backstay-attester: it needs the verb ' +
ATTEST + ' on drplans.' + GROUP + ' ' + object.spec.plan + ', or patch on ` + workloadResources() + `, in namespace ' + request.namespace`),
					Reason: &forbidden,
				},
			},
			FailurePolicy: closed(),
		},
	}
}
