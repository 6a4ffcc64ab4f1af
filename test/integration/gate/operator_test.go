// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/gate"
	"github.com/backstay-dr/backstay/internal/workload"
)

func TestProbeOfTheOperatorComesBackHeld(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	operator := s.operator()
	for _, name := range []string{"not held", "held already"} {
		t.Run(name, func(t *testing.T) {
			s := s.in(t)
			if d := s.mustPatch(operator, string(gate.ProbePatch(workload.Deployment)), client.DryRunAll); !gate.ProbeHeld(workload.Deployment, d, "shop") {
				t.Errorf("not held: %+v", stateOf(d))
			}
		})
		s.mustPatch(s.as(s.developer), image("2"))
	}
	s.is(s.get("web"), s.held("2"))
}

func TestOperatorMayChangeNothingButTheHold(t *testing.T) {
	t.Parallel()
	const spec = "the operator may only release a hold, and must not change anything else of a workload's spec"
	const metadata = "the operator must not change the finalizers or the owners of a workload"
	tests := map[string]struct{ body, want string }{
		"the image":            {image("2"), spec},
		"the template's label": {`{"spec":{"template":{"metadata":{"labels":{"a":"b"}}}}}`, spec},
		"replicas":             {`{"spec":{"replicas":0}}`, spec},
		"strategy":             {`{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}`, spec},
		"min ready seconds":    {`{"spec":{"minReadySeconds":5}}`, spec},
		"history":              {`{"spec":{"revisionHistoryLimit":5}}`, spec},
		"deadline":             {`{"spec":{"progressDeadlineSeconds":5}}`, spec},
		"a finalizer":          {`{"metadata":{"finalizers":["example.com/f"]}}`, metadata},
		"a surge":              {`{"spec":{"strategy":{"rollingUpdate":{"maxSurge":5}}}}`, spec},
		"an owner":             {`{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"x","uid":"y"}]}}`, metadata},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.mustPatch(s.as(s.developer), annotation("keep", "me"))
			_, err := s.patch(s.operator(), test.body)
			refused(t, err, test.want)
			// Nor where no plan is.
			s = newEmptyShopOn(t, plane)
			d := s.deployment("web")
			d.Annotations = map[string]string{"keep": "me"}
			s.create(d)
			_, err = s.patch(s.operator(), test.body)
			refused(t, err, test.want)
		})
	}
}

// A mutating webhook may add its own label and annotation to every write, the operator's among them.
func TestLabelOfAWebhookDoesNotKeepTheOperatorFromReleasing(t *testing.T) {
	t.Parallel()
	for _, policy := range []admissionv1.ReinvocationPolicyType{admissionv1.NeverReinvocationPolicy, admissionv1.IfNeededReinvocationPolicy} {
		t.Run(string(policy), func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.mustPatch(s.as(s.developer), `{"metadata":{"annotations":{"other":"x"}},`+image("2")[1:])
			s.webhook(policy, `[{"op":"add","path":"/metadata/labels/updated-by","value":"w"},{"op":"add","path":"/metadata/annotations/updated-by","value":"w"}]`)
			d := s.mustPatch(s.operator(), letGo)
			s.is(d, free("2"))
			if d.Labels["updated-by"] != "w" || d.Annotations["updated-by"] != "w" {
				t.Errorf("what the webhook added is lost: %v %v", d.Labels, d.Annotations)
			}
		})
	}
}

func TestOperatorReleasesAndCleansUp(t *testing.T) {
	t.Parallel()
	everything := fmt.Sprintf(`{"metadata":{"annotations":{%q:null,%q:null,%q:null,%q:null,%q:null}},"spec":{"paused":null}}`,
		v1alpha1.AnnotationHeldBy, v1alpha1.AnnotationUserPaused, v1alpha1.AnnotationOverrideReason,
		v1alpha1.AnnotationOverriddenBy, v1alpha1.AnnotationOverriddenAt)
	t.Run("a hold", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		s.mustPatch(s.as(s.developer), image("2"))
		s.is(s.mustPatch(s.operator(), everything), free("2"))
	})
	t.Run("a hold of a plan that is gone", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		s.mustPatch(s.as(s.developer), image("2"))
		if err := s.cp.Client.Delete(t.Context(), s.plan("shop", v1alpha1.GateModeHold)); err != nil {
			t.Fatal(err)
		}
		s.is(s.mustPatch(s.operator(), everything), free("2"))
	})
	t.Run("the record of an override", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		s.mustPatch(s.as(s.admin), overrideWith("2", "go"))
		s.is(s.mustPatch(s.operator(), everything), free("2"))
	})
	t.Run("what is labelled and annotated besides", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		s.mustPatch(s.as(s.developer), `{"metadata":{"labels":{"a":"b"},"annotations":{"c":"d"},"finalizers":["example.com/f"]},`+image("2")[1:])
		d := s.mustPatch(s.operator(), everything)
		s.is(d, free("2"))
		if d.Labels["a"] != "b" || d.Annotations["c"] != "d" || len(d.Finalizers) != 1 {
			t.Errorf("lost: %v %v %v", d.Labels, d.Annotations, d.Finalizers)
		}
	})
}

func TestReleaseOfAnOlderViewConflicts(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	dev := s.as(s.developer)
	seen := s.mustPatch(dev, image("2")).ResourceVersion
	s.mustPatch(dev, image("3"))
	_, err := s.patch(s.operator(), fmt.Sprintf(`{"metadata":{"resourceVersion":%q},"spec":{"paused":null}}`, seen))
	if !isConflict(err) {
		t.Errorf("no conflict: %v", err)
	}
	s.is(s.get("web"), s.held("3"))
}

func TestNamesakeOfTheOperatorIsHeld(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	dev := s.as(s.cp.Pipeline(t, gate.DefaultIdentity().ServiceAccount, s.namespace))
	s.mustPatch(dev, image("2"))
	s.is(s.mustPatch(dev, `{"spec":{"paused":null}}`), s.held("2"))
}
