// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/records"
)

func TestStatusOfAPlanIsBounded(t *testing.T) {
	now := metav1.NewTime(time.Unix(1e9, 0))
	s := &v1alpha1.DRPlanStatus{
		GateProof: strings.Repeat("g", 128),
		Versions:  v1alpha1.Versions{Running: strings.Repeat("v", 512), Planned: strings.Repeat("v", 128), Protected: strings.Repeat("v", 128)},
	}
	for i := range 8 {
		s.Conditions = append(s.Conditions, metav1.Condition{
			Type: fmt.Sprint("Condition", i), Status: metav1.ConditionUnknown, Reason: strings.Repeat("R", 64), Message: bound(strings.Repeat("é", 4096)),
			LastTransitionTime: now, ObservedGeneration: 1 << 40,
		})
	}
	for i := range v1alpha1.MaxWorkloads {
		name := fmt.Sprintf("%0253d", i)
		s.Held = append(s.Held, v1alpha1.HeldWorkload{
			Group: "apps", Kind: v1alpha1.KindDeployment, Name: name, Version: strings.Repeat("v", 128), Release: strings.Repeat("r", 253),
			Since: &now, Until: &now, Reason: v1alpha1.ReasonStorageLocationUnavailable, TemplateHash: strings.Repeat("h", 30),
		})
		w := v1alpha1.PlanWorkload{
			Group: "apps", Kind: v1alpha1.KindDeployment, Name: name, UID: strings.Repeat("u", 36), Version: strings.Repeat("v", 128),
			VersionSource: v1alpha1.SourcePodTemplateLabel, TemplateHash: strings.Repeat("h", 30), Revision: strings.Repeat("r", 253),
		}
		for range maxOtherRevisions {
			w.OtherRevisions = append(w.OtherRevisions, v1alpha1.PlanRevision{Name: strings.Repeat("r", 253), TemplateHash: strings.Repeat("h", 30)})
		}
		s.Workloads, s.Departed = append(s.Workloads, w), append(s.Departed, w)
	}
	const limit = 256 << 10 // a sixth of what etcd takes
	fitPlan(s)
	if n := records.Size(s); n > limit {
		t.Errorf("%d bytes, of at most %d", n, limit)
	}
	if len(s.Held) != v1alpha1.MaxWorkloads || len(s.Workloads) != v1alpha1.MaxWorkloads {
		t.Errorf("%d held and %d workloads are left", len(s.Held), len(s.Workloads))
	}
}
