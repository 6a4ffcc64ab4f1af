// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

// Decisions counts how often the operators of this process have looked at a plan so far, by their own metric
// controller_runtime_reconcile_total.
func Decisions() (int, error) {
	families, err := metrics.Registry.Gather()
	if err != nil {
		return 0, fmt.Errorf("read the metrics: %w", err)
	}
	count := 0
	for _, family := range families {
		if family.GetName() != "controller_runtime_reconcile_total" {
			continue
		}
		for _, series := range family.GetMetric() {
			for _, label := range series.GetLabel() {
				if label.GetName() == "controller" && label.GetValue() == "drplan" {
					count += int(series.GetCounter().GetValue())
				}
			}
		}
	}
	return count, nil
}
