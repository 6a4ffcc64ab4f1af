// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"errors"
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

func TestWhatChangesNoRevisionGoesThrough(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"replicas":           `{"spec":{"replicas":3}}`,
		"strategy":           `{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}`,
		"deadline":           `{"spec":{"progressDeadlineSeconds":60}}`,
		"label":              `{"metadata":{"labels":{"team":"a"}}}`,
		"annotation":         `{"metadata":{"annotations":{"team":"a"}}}`,
		"rollout restart":    `{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"2026-01-01T00:00:00Z"}}}}}`,
		"nothing":            `{}`,
		"the same template":  image("1"),
		"defaults spelt out": `{"spec":{"template":{"spec":{"restartPolicy":"Always","dnsPolicy":"ClusterFirst","terminationGracePeriodSeconds":30}}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.is(s.mustPatch(s.as(s.developer), body), free("1"))
		})
	}
}

func TestTheSameTemplateInAnotherNotationIsNoChange(t *testing.T) {
	t.Parallel()
	s := newEmptyShopOn(t, plane)
	s.enforce(s.plan("shop", v1alpha1.GateModeHold))
	d := s.deployment("web")
	d.Spec.Template.Spec.Containers[0].Resources.Limits = corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("1000m"), corev1.ResourceMemory: resource.MustParse("1024Mi"),
	}
	s.create(d)
	s.is(s.mustPatch(s.as(s.developer),
		`{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"shop/web:1","resources":{"limits":{"cpu":"1","memory":"1Gi"}}}]}}}}`),
		free("1"))
}

func TestUserMayPauseAndResumeWhatIsNotHeld(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	dev := s.as(s.developer)
	s.is(s.mustPatch(dev, `{"spec":{"paused":true}}`), state{Image: "shop/web:1", Paused: true})
	s.is(s.mustPatch(dev, `{"spec":{"paused":false}}`), free("1"))
}

func TestCreationIsNeverHeld(t *testing.T) {
	t.Parallel()
	s := newEmptyShopOn(t, plane)
	s.enforce(s.plan("shop", v1alpha1.GateModeHold))
	dev := s.as(s.developer)
	for _, paused := range []bool{false, true} {
		d := s.deployment(fmt.Sprintf("web-%t", paused))
		d.Spec.Paused = paused
		if err := dev.Create(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		s.is(s.get(d.Name), state{Image: "shop/" + d.Name + ":1", Paused: paused})
	}
}

func TestScalingGoesOnWhileHeld(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	dev := s.as(s.developer)
	s.mustPatch(dev, image("2"))
	// As a horizontal autoscaler does, through the subresource.
	scale := &autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: 7}}
	if err := dev.SubResource("scale").Update(t.Context(), s.get("web"), client.WithSubResourceBody(scale)); err != nil {
		t.Fatal(err)
	}
	d := s.get("web")
	s.is(d, s.held("2"))
	if *d.Spec.Replicas != 7 {
		t.Errorf("%d replicas, want 7", *d.Spec.Replicas)
	}
	// And in the spec itself.
	d = s.mustPatch(dev, `{"spec":{"replicas":2}}`)
	s.is(d, s.held("2"))
	if *d.Spec.Replicas != 2 {
		t.Errorf("%d replicas, want 2", *d.Spec.Replicas)
	}
}

func TestStatusIsWrittenWhileHeld(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.mustPatch(s.as(s.developer), image("2"))
	d := s.get("web")
	d.Status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionUnknown, Reason: "DeploymentPaused"}}
	d.Status.ObservedGeneration = d.Generation
	if err := s.cp.Client.Status().Update(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	d = s.get("web")
	s.is(d, s.held("2"))
	if len(d.Status.Conditions) != 1 {
		t.Error("the status was not stored")
	}
}

func TestDeletionGoesThroughWhileHeld(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	dev := s.as(s.developer)
	s.mustPatch(dev, `{"metadata":{"finalizers":["example.com/wait"]}}`)
	s.mustPatch(dev, image("2"))
	if err := dev.Delete(t.Context(), s.get("web")); err != nil {
		t.Fatal(err)
	}
	s.mustPatch(dev, `{"metadata":{"annotations":{"note":"terminating"}}}`)
	if _, err := s.patch(dev, `{"metadata":{"finalizers":null}}`); err != nil {
		t.Fatal(err)
	}
	err := s.cp.Client.Get(t.Context(), types.NamespacedName{Namespace: s.namespace, Name: "web"}, &appsv1.Deployment{})
	if client.IgnoreNotFound(err) != nil || err == nil {
		t.Errorf("it is still there: %v", err)
	}
}

func TestOtherWorkloadsAreNoBusinessOfThePlan(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	other := s.deployment("other")
	other.Labels = map[string]string{"app.kubernetes.io/part-of": "shop2"}
	s.create(other)
	dev := s.as(s.developer)
	err := dev.Patch(t.Context(), other, client.RawPatch(types.StrategicMergePatchType,
		[]byte(`{"spec":{"template":{"spec":{"containers":[{"name":"other","image":"shop/other:2"}]}}}}`)))
	if err != nil {
		t.Fatal(err)
	}
	s.is(other, state{Image: "shop/other:2"})
}

func TestPlanHoldsNothingInAnotherNamespace(t *testing.T) {
	t.Parallel()
	newShop(t) // has a plan for the same labels
	s := newEmptyShopOn(t, plane)
	s.create(s.deployment("web"))
	s.is(s.mustPatch(s.as(s.developer), image("2")), free("2"))
}

func TestPlanThatObservesOrIsOffHoldsNothing(t *testing.T) {
	t.Parallel()
	for _, mode := range []v1alpha1.GateMode{v1alpha1.GateModeObserve, v1alpha1.GateModeDisabled} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			s := newEmptyShopOn(t, plane)
			s.enforce(s.plan("shop", v1alpha1.GateModeHold))
			s.create(s.deployment("web"))
			s.cp.MustPatch(t, s.plan("shop", mode), fmt.Sprintf(`{"spec":{"gate":{"mode":%q}}}`, mode))
			s.eventually("not held", func() error {
				if s.isHeldAgain() == nil {
					return errors.New("held")
				}
				return nil
			})
			s.is(s.mustPatch(s.as(s.developer), image("2")), free("2"))
		})
	}
}
