// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/gate"
	"github.com/backstay-dr/backstay/internal/workload"
	"github.com/backstay-dr/backstay/test/integration/harness"
	"github.com/backstay-dr/backstay/test/integration/stage"
)

const holdPolicy = "backstay-hold-deployments"

// newStage is a control plane of its own, for what would disturb other tests, with an operator on it.
func newStage(t *testing.T) (*stage.Stage, *stage.Operator) {
	t.Helper()
	on, err := stage.Set(t.Context(), harness.StartForTest(t, harness.Options{}), stage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	op, err := on.StartOperator(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if refused := op.Traffic.Forbidden(); len(refused) > 0 {
			t.Errorf("the operator asked for what it has no right to: %v", refused)
		}
	})
	return on, op
}

func hold() *admissionv1.MutatingAdmissionPolicy {
	return &admissionv1.MutatingAdmissionPolicy{ObjectMeta: metav1.ObjectMeta{Name: holdPolicy}}
}

// take takes an object of the cluster away, to be put back as it was.
func (s *shop) take(obj client.Object) (putBack func()) {
	s.Helper()
	s.read(obj, s.rootKey(obj.GetName()))
	s.delete(obj.DeepCopyObject().(client.Object))
	return func() {
		s.Helper()
		obj.SetResourceVersion("")
		obj.SetUID("")
		s.create(obj)
	}
}

// Only here: policies and bindings that are missing, altered, and slow to reach admission.
// The tests of one control plane follow each other: each changes the policies of all.
func TestGateIsProvenAndNotAssumed(t *testing.T) {
	t.Parallel()
	on, op := newStage(t)
	t.Run("policy missing", func(t *testing.T) { policyMissing(newShopOn(t, on)) })
	t.Run("policy altered", func(t *testing.T) { policyAltered(newShopOn(t, on)) })
	t.Run("binding missing: back to Observe", func(t *testing.T) { bindingMissing(newShopOn(t, on)) })
	t.Run("a plan that never was gated", func(t *testing.T) { neverGated(emptyShopOn(t, on)) })
	t.Run("opened while the operator is down, and a rollout escapes", func(t *testing.T) { op = opensWhileDown(newShopOn(t, on), op) })
	if err := op.Stop(); err != nil {
		t.Error(err)
	}
}

func policyMissing(s *shop) {
	putBack := s.take(hold())
	c := s.awaitPlan(v1alpha1.ConditionGated, v1alpha1.ReasonPolicyMissing)
	// The backstop is there, and nothing falls back to Observe: that is what the plan says, and what becomes of a change.
	s.says(c.Message, "MutatingAdmissionPolicy "+holdPolicy+" is not installed", "kubectl apply -k config/gate",
		"the backstop refuses changed pod templates")
	s.await("refused", patience, func() (bool, any) {
		err := s.stage.Live.Patch(s.Context(), s.deployment("web", "1"), client.RawPatch(types.MergePatchType, gate.ProbePatch(workload.Deployment)), client.DryRunAll)
		return err != nil && contains(err.Error(), "but nothing held this write"), err
	})
	putBack()
	// The policy reaches admission with a delay: until then the probe says so, and is repeated.
	s.awaitPlan(v1alpha1.ConditionGated, v1alpha1.ReasonProbeHeld)
	s.roll("web", "2")
	s.mustBeHeld("web")
}

func policyAltered(s *shop) {
	before := s.current().Status.GateProof
	s.patch(hold(), `{"spec":{"failurePolicy":"Fail"}}`)
	c := s.awaitPlan(v1alpha1.ConditionGated, v1alpha1.ReasonPolicyAltered)
	s.says(c.Message, holdPolicy, "spec.failurePolicy differs", "kubectl apply -k config/gate", "not known")
	s.patch(hold(), `{"spec":{"failurePolicy":"Ignore"}}`)
	s.awaitPlan(v1alpha1.ConditionGated, v1alpha1.ReasonProbeHeld)
	if after := s.current().Status.GateProof; after == before {
		s.Errorf("the policy was replaced, and the old proof still counts: %s", after)
	}
}

func bindingMissing(s *shop) {
	binding := &admissionv1.MutatingAdmissionPolicyBinding{ObjectMeta: metav1.ObjectMeta{Name: holdPolicy}}
	backstop := &admissionv1.ValidatingAdmissionPolicyBinding{ObjectMeta: metav1.ObjectMeta{Name: "backstay-backstop-deployments"}}
	mend := []func(){s.take(backstop), s.take(binding)}
	s.awaitGateMessage("Rollouts are backed up, and not held")
	// Bindings leave admission with a delay too.
	s.rollUntilNotHeld("web", "2")
	s.awaitStarted("web", "2")
	// The plan said that it does not hold: this is observed, and backed up.
	backup := s.awaitBackup("shop-2", 0)
	s.says(s.awaitEvent("Deployment", "web", "Observed").Note, "is backed up, and not held")
	s.complete(backup)
	s.awaitReady("shop-2", v1alpha1.ReasonRolledOut)
	for _, putBack := range mend {
		putBack()
	}
	s.awaitPlan(v1alpha1.ConditionGated, v1alpha1.ReasonProbeHeld)
}

// awaitGateMessage waits until the Gated condition of the plan says a text.
func (s *shop) awaitGateMessage(text string) {
	s.Helper()
	s.await("the plan says of its gate: "+text, patience, func() (bool, any) {
		c := meta.FindStatusCondition(s.current().Status.Conditions, v1alpha1.ConditionGated)
		return c != nil && c.Status == metav1.ConditionFalse && contains(c.Message, text), c
	})
}

// rollUntilNotHeld waits until admission lets a change of the template through, by dry runs.
func (s *shop) rollUntilNotHeld(name, version string) {
	s.Helper()
	s.await("the gate is open", patience, func() (bool, any) {
		d := s.deployment(name, version)
		err := s.stage.Live.Patch(s.Context(), d, client.RawPatch("application/merge-patch+json", []byte(
			`{"spec":{"template":{"spec":{"hostname":"open"}}}}`)), client.DryRunAll)
		return err == nil && !d.Spec.Paused, d
	})
	s.roll(name, version)
}

func neverGated(s *shop) {
	putBack := s.take(hold())
	s.create(s.deployment("web", "1"))
	s.create(s.plan("shop"))
	s.awaitPlan(v1alpha1.ConditionGated, v1alpha1.ReasonPolicyMissing)
	putBack()
	s.awaitPlan(v1alpha1.ConditionGated, v1alpha1.ReasonProbeHeld)
}

// opensWhileDown: the gate was proven, and is opened, used and closed while the operator does not run.
func opensWhileDown(s *shop, op *stage.Operator) *stage.Operator {
	if err := op.Stop(); err != nil {
		s.Fatal(err)
	}
	backstop := &admissionv1.ValidatingAdmissionPolicyBinding{ObjectMeta: metav1.ObjectMeta{Name: "backstay-backstop-deployments"}}
	mend := []func(){s.take(backstop), s.take(hold())}
	s.rollUntilNotHeld("web", "2")
	for _, putBack := range mend {
		putBack()
	}
	op, err := s.stage.StartOperator(context.WithoutCancel(s.Context()))
	if err != nil {
		s.Fatal(err)
	}
	backup := s.awaitBackup("shop-2", 0)
	s.warns(s.awaitEvent("Deployment", "web", "Escaped"), "bypassed the gate")
	s.warns(s.awaitEvent("DRPlan", "shop", "Escaped"), "backed up now")
	c := s.awaitPlan(v1alpha1.ConditionReady, v1alpha1.ReasonEscaped)
	s.says(c.Message, "bypassed the gate", "see AppRelease shop-2")
	if cause := s.release("shop-2").Status.Rollouts[0].Cause; cause != v1alpha1.CauseEscaped {
		s.Errorf("cause %s", cause)
	}
	s.complete(backup)
	s.awaitReady("shop-2", v1alpha1.ReasonRolledOut)
	s.awaitPlan(v1alpha1.ConditionReady, v1alpha1.ReasonReconciled)
	return op
}

// Only here: an API server that does not serve the policies.
func TestClusterWithoutMutatingPoliciesIsObserved(t *testing.T) {
	t.Parallel()
	cp := harness.StartForTest(t, harness.Options{APIServerFlags: harness.WithoutMutatingPolicies()})
	on, err := stage.Set(t.Context(), cp, stage.Options{WithoutGate: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := on.StartOperator(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := emptyShopOn(t, on)
	s.create(s.deployment("web", "1"))
	s.create(s.plan("shop"))
	c := s.awaitPlan(v1alpha1.ConditionGated, v1alpha1.ReasonClusterTooOld)
	s.says(c.Message, "does not serve MutatingAdmissionPolicy v1 (Kubernetes 1.36)", "backed up, and not held", "Upgrade the cluster")
	if contains(c.Message, "backstop") {
		t.Errorf("there is no backstop: %s", c.Message)
	}
	s.await("the baseline is known", patience, func() (bool, any) {
		w := s.current().Status.Workloads
		return len(w) == 1 && w[0].TemplateHash != "", w
	})
	s.roll("web", "2")
	s.complete(s.awaitBackup("shop-2", 0))
	s.awaitReady("shop-2", v1alpha1.ReasonRolledOut)
	if cause := s.release("shop-2").Status.Rollouts[0].Cause; cause != v1alpha1.CauseObserved {
		t.Errorf("cause %s", cause)
	}
	// What of the gate such a cluster does serve refuses changes, and the plan says so.
	for _, object := range gate.Objects(gate.DefaultIdentity()) {
		if _, mutates := object.(*admissionv1.MutatingAdmissionPolicy); mutates {
			continue
		}
		if _, mutates := object.(*admissionv1.MutatingAdmissionPolicyBinding); mutates {
			continue
		}
		s.create(object.(client.Object))
	}
	s.awaitGateMessage("or remove the backstop: kubectl delete validatingadmissionpolicybindings backstay-backstop-deployments backstay-strict-deployments")
}
