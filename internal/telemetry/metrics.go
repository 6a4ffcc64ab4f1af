// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/plan"
	"github.com/backstay-dr/backstay/internal/status"
)

// Metrics that are counted as things happen. The labels are bounded: reasons and phases are constants of the API.
type Metrics struct {
	holdDuration *prometheus.HistogramVec
	backups      *prometheus.CounterVec
	failed       prometheus.Counter
	overdue      prometheus.Counter
}

// NewMetrics registers the metrics of the operator. What can be read from objects is read at each scrape, from the
// reader, and so survives a restart.
func NewMetrics(registry prometheus.Registerer, reader client.Reader) (*Metrics, error) {
	m := &Metrics{
		holdDuration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "backstay_hold_duration_seconds",
			Help:    "How long workloads were held, by the reason of their release (at most 5 reasons).",
			Buckets: []float64{1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400},
		}, []string{"reason"}),
		backups: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "backstay_backups_total",
			Help: "Backups that ended, by outcome: Completed, or the phase that a failed one ended in (at most 7).",
		}, []string{"outcome"}),
		failed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "backstay_rollouts_failed_total",
			Help: "Rollouts that made no progress within the progress deadline of their workload.",
		}),
		overdue: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "backstay_hold_deadlines_passed_total",
			Help: "Workloads that were held up to the deadline of their plan and stayed held (onDeadline: Hold).",
		}),
	}
	for _, outcome := range status.BackupOutcomes() {
		m.backups.WithLabelValues(outcome) // one that is counted for the first time is an increase then
	}
	for _, c := range []prometheus.Collector{m.holdDuration, m.backups, m.failed, m.overdue, &planCollector{reader: reader}} {
		if err := registry.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// Started counts a hold that ended.
func (m *Metrics) Started(s plan.Start, now time.Time) {
	if !s.Since.IsZero() {
		m.holdDuration.WithLabelValues(s.Reason).Observe(now.Sub(s.Since).Seconds())
	}
}

// Transitions counts what happened between two statuses of a release: backups that ended, rollouts that
// failed, deadlines that passed.
func (m *Metrics) Transitions(from, to *v1alpha1.AppReleaseStatus) {
	for _, b := range status.EndedBackups(from, to) {
		m.backups.WithLabelValues(b.Phase).Inc()
	}
	m.failed.Add(float64(status.FailedRollouts(from, to)))
	m.overdue.Add(float64(status.PassedDeadlines(from, to)))
}
