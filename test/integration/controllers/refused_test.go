// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// freeze is a policy as a cluster's administrator may have: nobody resumes the Deployment of a name in this namespace.
func (s *shop) freeze(name string) (thaw func()) {
	s.Helper()
	invalid := metav1.StatusReasonInvalid
	policy := &admissionv1.ValidatingAdmissionPolicy{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}
	policy.Spec = admissionv1.ValidatingAdmissionPolicySpec{
		MatchConstraints: &admissionv1.MatchResources{ResourceRules: []admissionv1.NamedRuleWithOperations{{
			RuleWithOperations: admissionv1.RuleWithOperations{
				Operations: []admissionv1.OperationType{admissionv1.Update},
				Rule:       admissionv1.Rule{APIGroups: []string{"apps"}, APIVersions: []string{"v1"}, Resources: []string{"deployments"}},
			},
			ResourceNames: []string{name},
		}}},
		Validations: []admissionv1.Validation{{
			Expression: "has(object.spec.paused) && object.spec.paused", Message: "change freeze: nothing starts", Reason: &invalid,
		}},
	}
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}
	binding.Spec = admissionv1.ValidatingAdmissionPolicyBindingSpec{
		PolicyName: policy.Name, ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny},
		MatchResources: &admissionv1.MatchResources{
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": s.namespace}},
		},
	}
	thaw = func() {
		for _, obj := range []client.Object{binding, policy} {
			_ = s.stage.Live.Delete(context.Background(), obj)
		}
	}
	s.Cleanup(thaw)
	s.create(policy)
	s.create(binding)
	// It reaches admission with a delay.
	s.await("the freeze is in force", patience, func() (bool, any) {
		d := &appsv1.Deployment{ObjectMeta: s.meta(name)}
		err := s.stage.Live.Patch(s.Context(), d, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"labels":{"a":"b"}}}`)), client.DryRunAll)
		return err != nil, d
	})
	return thaw
}

// One workload that admission refuses to release is told of, tried again, and keeps no other waiting.
func TestRefusedReleaseIsToldAndKeepsNoOtherWaiting(t *testing.T) {
	t.Parallel()
	s := emptyShop(t)
	for _, name := range []string{"api", "web"} {
		s.create(s.deployment(name, "1"))
	}
	s.create(s.plan("shop"))
	s.awaitSettled("shop")
	thaw := s.freeze("api")
	for _, name := range []string{"api", "web"} {
		s.roll(name, "2")
	}
	s.await("both recorded", patience, func() (bool, any) {
		r := &v1alpha1.AppRelease{}
		return s.see(r, s.key("shop-2")) && len(r.Status.Rollouts) == 1 && len(r.Status.Rollouts[0].Workloads) == 2, r
	})
	s.complete(s.awaitBackup("shop-2", 0))
	s.awaitStarted("web", "2")
	s.warns(s.awaitEvent("Deployment", "api", "ReleaseRefused"), "cannot be released, and is tried again", "change freeze: nothing starts")
	s.mustBeHeld("api")
	thaw()
	s.awaitStarted("api", "2")
	s.awaitReady("shop-2", v1alpha1.ReasonRolledOut)
	s.backupsAre(1)
}
