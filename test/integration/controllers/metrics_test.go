// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/integration/stage"
)

// scrape reads the metrics as Prometheus does.
func (s *shop) scrape(op *stage.Operator) string {
	s.Helper()
	server := httptest.NewServer(promhttp.HandlerFor(op.Metrics, promhttp.HandlerOpts{}))
	defer server.Close()
	req, err := http.NewRequestWithContext(s.Context(), http.MethodGet, server.URL, nil)
	if err != nil {
		s.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	return string(raw)
}

// awaitMetric waits for a series with a value, as it stands in the text.
func (s *shop) awaitMetric(op *stage.Operator, line string) {
	s.Helper()
	s.await("metric "+line, patience, func() (bool, any) {
		text := s.scrape(op)
		return strings.Contains(text, line+"\n"), text
	})
}

// Only here: the metrics of a whole operator, as they are scraped.
// One control plane of its own, since the metrics tell of the whole cluster.
func TestMetricsTellOfHoldsBackupsDriftAndProtection(t *testing.T) {
	t.Parallel()
	on, op := newStage(t)
	s := newShopOn(t, on)
	s.awaitMetric(op, `backstay_holds 0`)
	never := fmt.Sprintf(`backstay_plan_last_protected_timestamp_seconds{namespace=%q,plan="shop"} 0`, s.namespace)
	s.awaitMetric(op, never)
	s.awaitMetric(op, `backstay_backups_total{outcome="Failed"} 0`)
	s.awaitMetric(op, `backstay_plans{drift="InSync"} 1`)
	// Whoever set the scene left a plan without a version.
	s.awaitMetric(op, `backstay_plans{drift="VersionUnknown"} 1`)
	s.roll("web", "2")
	first := s.awaitBackup("shop-2", 0)
	s.awaitMetric(op, `backstay_holds 1`)
	since := s.current().Status.Held[0].Since.Unix()
	s.awaitMetric(op, fmt.Sprintf(`backstay_plan_oldest_hold_timestamp_seconds{namespace=%q,plan="shop"} %s`, s.namespace, scientific(since)))
	s.pass(first, velerov1.BackupPhasePartiallyFailed, nil)
	s.awaitMetric(op, `backstay_backups_total{outcome="PartiallyFailed"} 1`)
	second := s.awaitAttempt("shop-2", 0, 2)
	s.complete(second)
	s.awaitReady("shop-2", v1alpha1.ReasonRolledOut)
	s.awaitMetric(op, `backstay_backups_total{outcome="Completed"} 1`)
	s.awaitMetric(op, `backstay_hold_duration_seconds_count{reason="BackupCompleted"} 1`)
	s.awaitMetric(op, `backstay_holds 0`)
	s.awaitMetric(op, `backstay_plans{drift="VersionDiffers"} 1`)
	if text := s.scrape(op); strings.Contains(text, "backstay_plan_oldest_hold_timestamp_seconds{") {
		t.Errorf("nothing is held, and something is told to be:\n%s", text)
	}
	began := s.backup(second).Status.StartTimestamp.Unix()
	s.awaitMetric(op, fmt.Sprintf(`backstay_plan_last_protected_timestamp_seconds{namespace=%q,plan="shop"} %s`, s.namespace, scientific(began)))
	s.explained(op)
}

// scientific is a number as Prometheus' text format writes it: in as few digits as tell it.
func scientific(n int64) string { return strconv.FormatFloat(float64(n), 'g', -1, 64) }

// explained fails the test unless every metric has a help text and no labels but those that are bounded.
func (s *shop) explained(op *stage.Operator) {
	s.Helper()
	families, err := op.Metrics.Gather()
	if err != nil {
		s.Fatal(err)
	}
	labels := map[string]string{
		"backstay_holds": "", "backstay_plans": "drift", "backstay_backups_total": "outcome", "backstay_hold_duration_seconds": "reason",
		"backstay_plan_last_protected_timestamp_seconds": "namespace,plan",
		"backstay_rollouts_failed_total":                 "", "backstay_hold_deadlines_passed_total": "",
	}
	for _, family := range families {
		if family.GetHelp() == "" {
			s.Errorf("%s has no help", family.GetName())
		}
		for _, metric := range family.GetMetric() {
			var names []string
			for _, pair := range metric.GetLabel() {
				names = append(names, pair.GetName())
			}
			if got := strings.Join(names, ","); got != labels[family.GetName()] {
				s.Errorf("%s has the labels %q", family.GetName(), got)
			}
		}
		delete(labels, family.GetName())
	}
	if len(labels) > 0 {
		s.Errorf("not there: %v", labels)
	}
}
