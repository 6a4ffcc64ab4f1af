// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	admissionapi "k8s.io/api/admission/v1"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// pinning is a mutating webhook as there are many: whatever is written to a Deployment of the shop, it replaces the
// image.
func (s *shop) pinning(policy admissionv1.ReinvocationPolicyType, image string) {
	s.t.Helper()
	s.webhook(policy, fmt.Sprintf(`[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":%q}]`, image))
}

// webhook is a mutating webhook that patches whatever is written to a Deployment of the shop. It runs after the policies.
func (s *shop) webhook(policy admissionv1.ReinvocationPolicyType, patch string) {
	s.t.Helper()
	var calls atomic.Int32
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		review := &admissionapi.AdmissionReview{}
		if err := json.NewDecoder(r.Body).Decode(review); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		calls.Add(1)
		kind := admissionapi.PatchTypeJSONPatch
		review.Response = &admissionapi.AdmissionResponse{
			UID: review.Request.UID, Allowed: true, PatchType: &kind,
			Patch: []byte(patch),
		}
		_ = json.NewEncoder(w).Encode(review)
	}))
	s.t.Cleanup(server.Close)
	url, none, scope := server.URL, admissionv1.SideEffectClassNone, admissionv1.NamespacedScope
	configuration := &admissionv1.MutatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}
	configuration.Webhooks = []admissionv1.MutatingWebhook{{
		Name: "pin.example.com", AdmissionReviewVersions: []string{"v1"}, SideEffects: &none, ReinvocationPolicy: &policy,
		ClientConfig: admissionv1.WebhookClientConfig{
			URL:      &url,
			CABundle: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
		},
		NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": s.namespace}},
		Rules: []admissionv1.RuleWithOperations{{
			Operations: []admissionv1.OperationType{admissionv1.Update},
			Rule:       admissionv1.Rule{APIGroups: []string{"apps"}, APIVersions: []string{"v1"}, Resources: []string{"deployments"}, Scope: &scope},
		}},
	}}
	s.create(configuration)
	s.t.Cleanup(func() { _ = s.cp.Client.Delete(context.Background(), configuration) })
	s.eventually("the webhook is called", func() error {
		_, err := s.patch(s.as(s.developer), `{}`, client.DryRunAll)
		if err == nil && calls.Load() == 0 {
			err = fmt.Errorf("not called yet")
		}
		return err
	})
}

// A user only labels the Deployment, and the webhook changes its template.
func TestTemplateChangedByAWebhookIsHeld(t *testing.T) {
	t.Parallel()
	for _, policy := range []admissionv1.ReinvocationPolicyType{admissionv1.NeverReinvocationPolicy, admissionv1.IfNeededReinvocationPolicy} {
		t.Run(string(policy), func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.pinning(policy, "shop/web:1@sha256:pinned")
			s.is(s.mustPatch(s.as(s.developer), `{"metadata":{"labels":{"a":"b"}}}`), s.held("1@sha256:pinned"))
		})
	}
}

func TestOverrideIsHonouredOnceThoughAWebhookMakesThePoliciesRunAgain(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.pinning(admissionv1.IfNeededReinvocationPolicy, "shop/web:2@sha256:pinned")
	at := s.get("web").ResourceVersion
	s.is(s.mustPatch(s.as(s.admin), overrideWith("2", "go")), s.overridden("2@sha256:pinned", "go", at))
}

func TestUsersPauseIsNotInferredFromTheHoldWhenThePoliciesRunAgain(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.pinning(admissionv1.IfNeededReinvocationPolicy, "shop/web:2@sha256:pinned")
	s.is(s.mustPatch(s.as(s.developer), image("2")), s.held("2@sha256:pinned"))
}
