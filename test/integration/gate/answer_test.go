// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/gate"
	"github.com/backstay-dr/backstay/internal/workload"
)

// probe sends the operator's probe to "web" and reads the answer.
func (s *shop) probe() gate.Answer {
	s.t.Helper()
	return gate.ReadAnswer(workload.Deployment, s.mustPatch(s.operator(), string(gate.ProbePatch(workload.Deployment)), client.DryRunAll))
}

// current is a plan as it is stored.
func (s *shop) current(name string) *v1alpha1.DRPlan {
	s.t.Helper()
	p := &v1alpha1.DRPlan{}
	if err := s.cp.Client.Get(s.t.Context(), client.ObjectKey{Namespace: s.namespace, Name: name}, p); err != nil {
		s.t.Fatal(err)
	}
	return p
}

// unrelated is a plan that does not select "web".
func (s *shop) unrelated(name string, mode v1alpha1.GateMode) *v1alpha1.DRPlan {
	p := s.plan(name, mode)
	p.Spec.Workloads.MatchLabels = map[string]v1alpha1.LabelValue{"app.kubernetes.io/part-of": v1alpha1.LabelValue(name)}
	return p
}

// What one probe proves for others: the policy says for which plans it was evaluated, and with which spec of theirs.
func TestProbeIsAnsweredForEveryHoldingPlanOfItsNamespace(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	// Whether they are evaluated before the plan that selects the workload, or after it.
	for _, name := range []string{"aaa", "zzz"} {
		s.create(s.unrelated(name, v1alpha1.GateModeHold))
	}
	s.create(s.unrelated("observer", v1alpha1.GateModeObserve))
	answered := func() error {
		answer := s.probe()
		if answer.HeldBy != "shop" {
			return fmt.Errorf("held by %q", answer.HeldBy)
		}
		for _, name := range []string{"shop", "aaa", "zzz"} {
			if !answer.For(s.current(name)) {
				return fmt.Errorf("no answer for %s: %+v", name, answer)
			}
		}
		return nil
	}
	s.eventually("an answer for every plan", answered)
	if answer := s.probe(); answer.For(s.current("observer")) {
		t.Errorf("it answers for a plan that holds nothing: %+v", answer)
	}
	before := s.current("zzz")
	changed := before.DeepCopy()
	changed.Spec.Gate.DeadlineSeconds++
	if err := s.cp.Client.Update(t.Context(), changed); err != nil {
		t.Fatal(err)
	}
	s.eventually("an answer for the changed plan", answered)
	if answer := s.probe(); answer.For(before) {
		t.Errorf("it answers for a spec that is no more: %+v", answer)
	}
	s.mustPatch(s.as(s.developer), image("2"))
	s.is(s.get("web"), s.held("2"))
	s.eventually("an answer while it is held", answered)
}

func TestNobodyButThePolicyAnswersAProbe(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	foreign := s.unrelated("foreign", v1alpha1.GateModeHold)
	foreign.UID, foreign.Generation = "forged", 1
	s.mustPatch(s.as(s.developer), annotation("dr.backstay.dev/answers", "forged/1 "))
	if answer := s.probe(); answer.For(foreign) || !answer.For(s.current("shop")) || answer.HeldBy != "shop" {
		t.Errorf("what was on the workload before counts as an answer: %+v", answer)
	}
	s.reset()
	d := s.mustPatch(s.as(s.developer), image("2"), client.DryRunAll)
	if answer := gate.ReadAnswer(workload.Deployment, d); answer.For(s.current("shop")) {
		t.Errorf("a user's dry run is answered like a probe: %+v", d.Annotations)
	}
}
