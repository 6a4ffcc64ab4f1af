// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"slices"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// Object is a policy or a binding.
type Object interface {
	metav1.Object
	runtime.Object
}

// Objects are the policies and bindings of the gate, every field that the API server would default set explicitly, so
// that Compare can hold them against live ones. Each policy comes before its binding.
func Objects(id Identity) []Object {
	var out []Object
	for _, k := range kinds() {
		out = append(out,
			k.holdPolicy(id), mutatingBinding(k.holdName(), paramRef()),
			k.marksPolicy(id), mutatingBinding(k.marksName(), nil),
			k.evaluatedPolicy(), mutatingBinding(k.evaluatedName(), paramRef()),
			k.noticePolicy(id), validatingBinding(k.noticeName(), nil, admissionv1.Warn),
			k.backstopPolicy(id), validatingBinding(k.backstopName(), paramRef(), admissionv1.Deny),
			k.overridePolicy(id), validatingBinding(k.overrideName(), nil, admissionv1.Deny),
			k.strictPolicy(), validatingBinding(k.strictName(), nil, admissionv1.Deny),
			k.operatorPolicy(id), validatingBinding(k.operatorPolicyName(), nil, admissionv1.Deny),
		)
		if k.CEL.WasWish != "" {
			out = append(out, k.restorePolicy(id), mutatingBinding(k.restoreName(), nil))
		}
		if k.Revisions.Template != "" {
			out = append(out,
				k.revisionMarksPolicy(), mutatingBinding(k.revisionMarksName(), nil),
				k.revisionsPolicy(), validatingBinding(k.revisionsName(), nil, admissionv1.Deny),
			)
		}
	}
	return append(out,
		countPolicy(), mutatingBinding(countName, paramRef()),
		plansPolicy(), validatingBinding(plansName, nil, admissionv1.Deny),
		stampPolicy(), mutatingBinding(stampName, nil),
		claimsPolicy(), validatingBinding(claimsName, nil, admissionv1.Deny),
		metadataPolicy(id), mutatingBinding(metadataName, nil),
		backupsPolicy(id), validatingBinding(operatorOnBackups, nil, admissionv1.Deny),
		releasesPolicy(id), validatingBinding(operatorOnReleases, nil, admissionv1.Deny),
	)
}

// Holds says whether the policies that hold are installed with their bindings, as they were shipped or not.
func Holds(installed []Object) bool { return all(installed, kind.holdName) }

// Backstops names the bindings by which a changed template that nothing held is refused; none where the backstop is not
// installed.
func Backstops(installed []Object) []string {
	if !all(installed, kind.backstopName) {
		return nil
	}
	var names []string
	for _, k := range kinds() {
		names = append(names, k.backstopName(), k.strictName())
	}
	return names
}

// all says whether the policy of that name and its binding are installed for every kind.
func all(installed []Object, name func(kind) string) bool {
	return !slices.ContainsFunc(kinds(), func(k kind) bool {
		n := 0
		for _, o := range installed {
			if o.GetName() == name(k) {
				n++
			}
		}
		return n < 2
	})
}

// mutating is a policy for updates of the kind that patches, for each plan or for none.
func (k kind) mutating(name string, params *admissionv1.ParamKind) *admissionv1.MutatingAdmissionPolicy {
	policy := mutating(name, params)
	policy.Spec.MatchConstraints = k.updates()
	return policy
}

func mutating(name string, params *admissionv1.ParamKind) *admissionv1.MutatingAdmissionPolicy {
	return &admissionv1.MutatingAdmissionPolicy{
		TypeMeta:   typeMeta("MutatingAdmissionPolicy"),
		ObjectMeta: objectMeta(name),
		Spec: admissionv1.MutatingAdmissionPolicySpec{
			ParamKind:          params,
			FailurePolicy:      harmless(),
			ReinvocationPolicy: admissionv1.IfNeededReinvocationPolicy,
		},
	}
}

// jsonPatch is the mutation that is a list of operations.
func jsonPatch(expression string) []admissionv1.Mutation {
	return []admissionv1.Mutation{{
		PatchType: admissionv1.PatchTypeJSONPatch, JSONPatch: &admissionv1.JSONPatch{Expression: cel(expression)},
	}}
}

// validating is a policy for updates of the kind that denies or warns, for each plan or for none.
func (k kind) validating(
	name string, params *admissionv1.ParamKind, onFailure *admissionv1.FailurePolicyType,
) *admissionv1.ValidatingAdmissionPolicy {
	policy := validating(name, params, onFailure)
	policy.Spec.MatchConstraints = k.updates()
	return policy
}

func validating(
	name string, params *admissionv1.ParamKind, onFailure *admissionv1.FailurePolicyType,
) *admissionv1.ValidatingAdmissionPolicy {
	return &admissionv1.ValidatingAdmissionPolicy{
		TypeMeta:   typeMeta("ValidatingAdmissionPolicy"),
		ObjectMeta: objectMeta(name),
		Spec:       admissionv1.ValidatingAdmissionPolicySpec{ParamKind: params, FailurePolicy: onFailure},
	}
}

func mutatingBinding(name string, params *admissionv1.ParamRef) *admissionv1.MutatingAdmissionPolicyBinding {
	return &admissionv1.MutatingAdmissionPolicyBinding{
		TypeMeta:   typeMeta("MutatingAdmissionPolicyBinding"),
		ObjectMeta: objectMeta(name),
		Spec:       admissionv1.MutatingAdmissionPolicyBindingSpec{PolicyName: name, ParamRef: params},
	}
}

func validatingBinding(
	name string, params *admissionv1.ParamRef, action admissionv1.ValidationAction,
) *admissionv1.ValidatingAdmissionPolicyBinding {
	return &admissionv1.ValidatingAdmissionPolicyBinding{
		TypeMeta:   typeMeta("ValidatingAdmissionPolicyBinding"),
		ObjectMeta: objectMeta(name),
		Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: name, ParamRef: params, ValidationActions: []admissionv1.ValidationAction{action},
		},
	}
}

// paramRef makes a policy be evaluated once for every DRPlan of the request's own namespace, and not at all where
// there is none.
func paramRef() *admissionv1.ParamRef {
	allow := admissionv1.AllowAction
	return &admissionv1.ParamRef{Selector: &metav1.LabelSelector{}, ParameterNotFoundAction: &allow}
}

func paramKind() *admissionv1.ParamKind {
	return &admissionv1.ParamKind{APIVersion: v1alpha1.GroupVersion.String(), Kind: "DRPlan"}
}

// updates matches updates of the kind itself. Not its creation: a workload that is created paused has no pods at all.
// Not its subresources: scaling and status go on while it is held, and without us.
func (k kind) updates() *admissionv1.MatchResources {
	return operations(k.Group, k.Version, k.Resource, admissionv1.Update)
}

// operations matches what is done to a resource, in every namespace.
func operations(group, version, resource string, on ...admissionv1.OperationType) *admissionv1.MatchResources {
	equivalent, scope := admissionv1.Equivalent, admissionv1.AllScopes
	return &admissionv1.MatchResources{
		MatchPolicy:       &equivalent,
		NamespaceSelector: &metav1.LabelSelector{},
		ObjectSelector:    &metav1.LabelSelector{},
		ResourceRules: []admissionv1.NamedRuleWithOperations{{
			RuleWithOperations: admissionv1.RuleWithOperations{
				Operations: on,
				Rule: admissionv1.Rule{
					APIGroups:   []string{group},
					APIVersions: []string{version},
					Resources:   []string{resource},
					Scope:       &scope,
				},
			},
		}},
	}
}

// harmless is the failure policy of whatever needs a DRPlan: where it cannot be evaluated it stays out of the way.
//
// That happens. For up to half a minute after its start, an API server may not know yet that the kind DRPlan exists
// (kubernetes/kubernetes#124237), and so it is for good where somebody deleted the CRD and left the policies. With Fail
// it would refuse every update of every workload of the cluster meanwhile, whether a plan selects it or not. What
// slips by is reported as escaped and backed up at once; a namespace that would rather wait is labelled strict.
func harmless() *admissionv1.FailurePolicyType {
	ignore := admissionv1.Ignore
	return &ignore
}

// closed is the failure policy of what cannot fail in that way, or is asked for by name.
func closed() *admissionv1.FailurePolicyType {
	fail := admissionv1.Fail
	return &fail
}

func typeMeta(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: admissionv1.SchemeGroupVersion.String(), Kind: kind}
}

func objectMeta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Labels: map[string]string{
		"app.kubernetes.io/name":      "backstay",
		"app.kubernetes.io/component": "gate",
	}}
}
