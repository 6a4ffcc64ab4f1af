// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

// Decisions counts how often the controllers of this process have looked at a plan so far, by the operator's own metric
// controller_runtime_reconcile_total. That one is of the process: where several operators run in it, of them all.
func Decisions() (map[string]int, error) {
	families, err := metrics.Registry.Gather()
	if err != nil {
		return nil, fmt.Errorf("read the metrics: %w", err)
	}
	counts := map[string]int{"drplan": 0, "apprelease": 0}
	for _, family := range families {
		if family.GetName() != "controller_runtime_reconcile_total" {
			continue
		}
		for _, series := range family.GetMetric() {
			for _, label := range series.GetLabel() {
				if _, ours := counts[label.GetValue()]; ours && label.GetName() == "controller" {
					counts[label.GetValue()] += int(series.GetCounter().GetValue())
				}
			}
		}
	}
	return counts, nil
}
