// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/test/gen"
)

// Whoever may write statuses can store a record that says that a deadline passed, and not since when the workload was held.
func TestDeadlineWithoutAHoldIsNoReasonToPanic(t *testing.T) {
	at := metav1.NewTime(time.Unix(1e9, 0))
	r := gen.Release("shop", "1.5.0")
	r.Status.Rollouts = []v1alpha1.Rollout{{Number: 1, Workloads: []v1alpha1.RolloutWorkload{{
		Group: v1alpha1.GroupApps, Kind: v1alpha1.KindDeployment, Name: "web", State: v1alpha1.WorkloadHeld, DeadlineTime: &at,
	}}}}
	f := facts.Of(facts.Input{Now: at.Time, Namespace: r.Namespace, Name: "shop", Plan: gen.Plan("shop"), Releases: []*v1alpha1.AppRelease{r}})
	if text := overdueText(f, records.Read(f), nil); text != "" {
		t.Errorf("it says %q", text)
	}
}
