// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
	"regexp"
	"strconv"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/integration/harness"
)

// What a plan that does not select a Deployment may add to the API server's CPU time for one write of it, twice over: a processor
// that does something else beside it gets less done in the same CPU time. `make bench` judges the figures themselves, on a machine
// that does nothing else.
const (
	costOfPlainWrite    = 2 * 300 * time.Microsecond
	costOfTemplateWrite = 2 * 1500 * time.Microsecond
)

// All plans of a namespace are evaluated for every write of a Deployment there, whatever they select. The time is that of
// the process and not that of the clock, so that whatever else the machine does disturbs little.
func TestPlansThatSelectNothingCostAWriteLittle(t *testing.T) {
	const plans = 500
	cp := harness.StartForTest(t, harness.Options{})
	if _, err := cp.Operator(t.Context()); err != nil {
		t.Fatal(err)
	}
	bare, full := newEmptyShopOn(t, cp), newEmptyShopOn(t, cp)
	bare.create(bare.deployment("web"))
	full.create(full.deployment("web"))
	// The gate would refuse that many.
	for i := range plans {
		full.createElsewhere(i)
	}
	if err := cp.InstallGate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		body string
		most time.Duration
	}{
		"an annotation": {body: `{"metadata":{"annotations":{"note":"%d"}}}`, most: costOfPlainWrite},
		"the template":  {body: `{"spec":{"template":{"spec":{"hostname":"host-%d"}}}}`, most: costOfTemplateWrite},
	} {
		without, with := bare.costOf(test.body), full.costOf(test.body)
		perPlan := (with - without) / plans
		t.Logf("%s: %s without a plan, %s with %d: %s a plan", name, without, with, plans, perPlan)
		if perPlan > test.most {
			t.Errorf("%s costs %s more for each plan, at most %s are wanted", name, perPlan, test.most)
		}
	}
}

// elsewhere is a plan that selects nothing there is.
func (s *shop) elsewhere(number int) *v1alpha1.DRPlan {
	plan := s.plan(fmt.Sprintf("plan-%d", number), v1alpha1.GateModeHold)
	plan.Spec.Workloads.MatchLabels = map[string]v1alpha1.LabelValue{
		"app.kubernetes.io/part-of": v1alpha1.LabelValue(fmt.Sprintf("app-%d", number)),
	}
	return plan
}

// createElsewhere creates one with the status that an operator would have written: it is read with the plan.
func (s *shop) createElsewhere(number int) {
	s.t.Helper()
	plan := s.elsewhere(number)
	s.create(plan)
	for _, condition := range []string{"Ready", "Gated", "Drifted", "Covered", "Protected", "Proven"} {
		plan.Status.Conditions = append(plan.Status.Conditions, metav1.Condition{
			Type: condition, Status: metav1.ConditionTrue, Reason: "AsItShouldBe", ObservedGeneration: 1,
			LastTransitionTime: metav1.Now(), Message: "a message of ordinary length: what is the case, and what to do about it",
		})
	}
	if err := s.cp.Client.Status().Update(s.t.Context(), plan); err != nil {
		s.t.Fatal(err)
	}
}

// costOf is the CPU time that the API server takes for one write of "web": the least of several rounds.
func (s *shop) costOf(body string) time.Duration {
	s.t.Helper()
	const rounds, writes = 4, 5
	user := s.as(s.developer)
	write := func(n int) {
		d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "web"}}
		if err := user.Patch(s.t.Context(), d, client.RawPatch(types.MergePatchType, fmt.Appendf(nil, body, n))); err != nil {
			s.t.Fatal(err)
		}
	}
	write(0)
	least := time.Hour
	for round := range rounds {
		before := s.cpuTime()
		for i := range writes {
			write(1 + round*writes + i)
		}
		least = min(least, (s.cpuTime()-before)/writes)
	}
	return least
}

var cpuSeconds = regexp.MustCompile(`(?m)^process_cpu_seconds_total (\S+)$`)

// cpuTime is what the API server has used so far, as it says itself.
func (s *shop) cpuTime() time.Duration {
	s.t.Helper()
	clients, err := kubernetes.NewForConfig(s.cp.Admin)
	if err != nil {
		s.t.Fatal(err)
	}
	metrics, err := clients.RESTClient().Get().AbsPath("/metrics").DoRaw(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	found := cpuSeconds.FindSubmatch(metrics)
	if found == nil {
		s.t.Fatal("the API server does not say how much CPU time it used")
	}
	seconds, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		s.t.Fatal(err)
	}
	return time.Duration(seconds * float64(time.Second))
}
