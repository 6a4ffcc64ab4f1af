// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

var (
	descHolds = prometheus.NewDesc("backstay_holds",
		"Workloads that are held now, in the whole cluster.", nil, nil)
	descPlans = prometheus.NewDesc("backstay_plans",
		"Plans by the reason of their Drifted condition (at most 9 reasons).", []string{"drift"}, nil)
	descNotReady = prometheus.NewDesc("backstay_plans_not_ready",
		"Plans that are not Ready, by the reason of their Ready condition (at most 20 reasons).", []string{"reason"}, nil)
	descProtected = prometheus.NewDesc("backstay_plan_last_protected_timestamp_seconds",
		"When the newest protecting backup of a plan began, in seconds since 1970; 0 where there is none. One series for each plan that takes backups.",
		[]string{"namespace", "plan"}, nil)
	descOldestHold = prometheus.NewDesc("backstay_plan_oldest_hold_timestamp_seconds",
		"Since when that is held of a plan which has been held for the longest, in seconds since 1970. One series for each plan that holds something.",
		[]string{"namespace", "plan"}, nil)
)

// planCollector reads the statuses of the plans at each scrape.
type planCollector struct{ reader client.Reader }

func (c *planCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{descHolds, descPlans, descNotReady, descProtected, descOldestHold} {
		ch <- desc
	}
}

func (c *planCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	plans := &v1alpha1.DRPlanList{}
	if err := c.reader.List(ctx, plans, client.UnsafeDisableDeepCopy); err != nil {
		ch <- prometheus.NewInvalidMetric(descPlans, err)
		return
	}
	held, drift, notReady := 0, map[string]int{}, map[string]int{}
	for i := range plans.Items {
		p := &plans.Items[i]
		held += int(p.Status.HeldCount)
		if c := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionDrifted); c != nil {
			drift[c.Reason]++
		}
		if c := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionReady); c != nil && c.Status != metav1.ConditionTrue {
			notReady[c.Reason]++
		}
		collectPlan(ch, p)
	}
	ch <- prometheus.MustNewConstMetric(descHolds, prometheus.GaugeValue, float64(held))
	for reason, n := range drift {
		ch <- prometheus.MustNewConstMetric(descPlans, prometheus.GaugeValue, float64(n), reason)
	}
	for reason, n := range notReady {
		ch <- prometheus.MustNewConstMetric(descNotReady, prometheus.GaugeValue, float64(n), reason)
	}
}

// collectPlan collects what has a series for each plan.
func collectPlan(ch chan<- prometheus.Metric, p *v1alpha1.DRPlan) {
	protected := 0.0
	if b := p.Status.ProtectingBackup; b != nil {
		protected = float64(b.StartTime.Unix())
	}
	if protected > 0 || p.Spec.Gate.Mode != v1alpha1.GateModeDisabled {
		ch <- prometheus.MustNewConstMetric(descProtected, prometheus.GaugeValue, protected, p.Namespace, p.Name)
	}
	var oldest *metav1.Time
	for i := range p.Status.Held {
		if since := p.Status.Held[i].Since; since != nil && (oldest == nil || since.Before(oldest)) {
			oldest = since
		}
	}
	if oldest != nil {
		ch <- prometheus.MustNewConstMetric(descOldestHold, prometheus.GaugeValue, float64(oldest.Unix()), p.Namespace, p.Name)
	}
}
