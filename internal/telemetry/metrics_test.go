// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/gen"
)

func registryOf(t *testing.T, plans ...client.Object) *prometheus.Registry {
	t.Helper()
	scheme := runtime.NewScheme()
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	registry := prometheus.NewRegistry()
	if _, err := NewMetrics(registry, fake.NewClientBuilder().WithScheme(scheme).WithObjects(plans...).Build()); err != nil {
		t.Fatal(err)
	}
	return registry
}

// series are those of a gauge, as they stand in the text that Prometheus reads.
func series(t *testing.T, registry *prometheus.Registry, name string) []string {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, metric := range family.GetMetric() {
			var labels []string
			for _, pair := range metric.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", pair.GetName(), pair.GetValue()))
			}
			out = append(out, fmt.Sprintf("%s{%s} %v", name, strings.Join(labels, ","), metric.GetGauge().GetValue()))
		}
	}
	return out
}

func at(second int64) metav1.Time { return metav1.NewTime(time.Unix(second, 0)) }

func heldPlan(name string, since ...int64) *v1alpha1.DRPlan {
	p := gen.Plan(name)
	for _, second := range since {
		when := at(second)
		p.Status.Held = append(p.Status.Held, v1alpha1.HeldWorkload{Name: "w", Since: &when})
	}
	p.Status.Held = append(p.Status.Held, v1alpha1.HeldWorkload{Name: "of another plan"})
	return p
}

// "holds > 0 for an hour" fires on steady traffic: what counts is the age of the oldest hold.
func TestAgeOfTheOldestHold(t *testing.T) {
	registry := registryOf(t, heldPlan("one", 300, 100, 200), heldPlan("two", 400), heldPlan("three"))
	want := []string{
		`backstay_plan_oldest_hold_timestamp_seconds{namespace="ns",plan="one"} 100`,
		`backstay_plan_oldest_hold_timestamp_seconds{namespace="ns",plan="two"} 400`,
	}
	if diff := cmp.Diff(want, series(t, registry, "backstay_plan_oldest_hold_timestamp_seconds")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A plan that was never protected once had no series: no alert could see it.
func TestPlanThatWasNeverProtectedHasASeries(t *testing.T) {
	protected := gen.Plan("protected")
	protected.Status.ProtectingBackup = &v1alpha1.ProtectingBackup{StartTime: at(100)}
	was := gen.Plan("was", gen.Mode(v1alpha1.GateModeDisabled))
	was.Status.ProtectingBackup = &v1alpha1.ProtectingBackup{StartTime: at(50)}
	registry := registryOf(t, protected, was, gen.Plan("never"), gen.Plan("takes-none", gen.Mode(v1alpha1.GateModeDisabled)))
	want := []string{
		`backstay_plan_last_protected_timestamp_seconds{namespace="ns",plan="never"} 0`,
		`backstay_plan_last_protected_timestamp_seconds{namespace="ns",plan="protected"} 100`,
		`backstay_plan_last_protected_timestamp_seconds{namespace="ns",plan="was"} 50`,
	}
	if diff := cmp.Diff(want, series(t, registry, "backstay_plan_last_protected_timestamp_seconds")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPlansThatAreNotReadyAreCountedByReason(t *testing.T) {
	var plans []client.Object
	for name, c := range map[string]metav1.Condition{
		"a": {Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReconciled},
		"b": {Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonDeadlinePassed},
		"c": {Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonDeadlinePassed},
	} {
		p := gen.Plan(name)
		c.Type = v1alpha1.ConditionReady
		p.Status.Conditions = []metav1.Condition{c}
		plans = append(plans, p)
	}
	want := []string{
		`backstay_plans_not_ready{reason="DeadlinePassed"} 2`,
	}
	if diff := cmp.Diff(want, series(t, registryOf(t, plans...), "backstay_plans_not_ready")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The rules that are shipped ask for metrics that exist, and the page tells of each.
func TestAlertsAndDocsNameTheMetricsThatExist(t *testing.T) {
	p := heldPlan("shop", 1)
	p.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: "X"}, {Type: v1alpha1.ConditionDrifted, Reason: "Y"}}
	families, err := registryOf(t, p).Gather()
	if err != nil {
		t.Fatal(err)
	}
	exist := map[string]bool{"backstay_hold_duration_seconds": true} // has no series before something was held
	for _, family := range families {
		exist[family.GetName()] = true
	}
	named := func(path string) []string {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		names := regexp.MustCompile(`backstay_[a-z_]+`).FindAllString(string(raw), -1)
		slices.Sort(names)
		return slices.Compact(names)
	}
	for _, name := range named("../../config/prometheus/rules.yaml") {
		if !exist[name] {
			t.Errorf("an alert asks for %s, which does not exist", name)
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(exist)), named("../../docs/metrics.md")); diff != "" {
		t.Errorf("docs/metrics.md (-exist +told):\n%s", diff)
	}
}
