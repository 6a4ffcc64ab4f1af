// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/drift"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/running"
)

// drifted is the Drifted condition.
func drifted(f *facts.Facts, book *records.Book, _ *v1alpha1.DRPlanStatus) (metav1.Condition, time.Time) {
	serving := running.ServingVersions(f, book)
	planned := f.Plan.Spec.Version
	found := drift.Compare(planned, f.Plan.Spec.VersionPolicy, serving)
	runs := drift.Summary(drift.Distinct(serving))
	message := map[string]string{
		v1alpha1.ReasonNoWorkloads:    "no workload carries the labels of spec.workloads.matchLabels",
		v1alpha1.ReasonVersionUnknown: "cannot determine the version of some workloads: label their pod templates with app.kubernetes.io/version",
		v1alpha1.ReasonMixedVersions:  "the workloads run several versions: " + runs,
		v1alpha1.ReasonNothingPlanned: "the plan names no version and none is proven yet: set spec.version",
		v1alpha1.ReasonInSync:         fmt.Sprintf("planned %s, running %s", planned, runs),
		v1alpha1.ReasonVersionBehind:  fmt.Sprintf("the plan was written for %s, and %s runs: review the plan and set spec.version", planned, runs),
		v1alpha1.ReasonVersionAhead:   fmt.Sprintf("the plan was written for %s, and only %s runs: roll it out, or set spec.version back", planned, runs),
		v1alpha1.ReasonVersionDiffers: fmt.Sprintf("the plan was written for %s, and %s runs: review the plan and set spec.version", planned, runs),
	}[found.Reason]
	return metav1.Condition{Type: v1alpha1.ConditionDrifted, Status: found.Status, Reason: found.Reason, Message: message}, time.Time{}
}
