// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/workload"
)

func TestProbePatchChangesTheTemplateOfAnyDeploymentAndTakesItsHoldOff(t *testing.T) {
	before := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{
		Namespace: "ns", Annotations: map[string]string{v1alpha1.AnnotationHeldBy: "ns/shop", "note": "kept"},
	}}
	before.Spec.Paused = true
	before.Spec.Template.Spec.Containers = []corev1.Container{{Name: "web", Image: "shop/web:1"}}
	raw, err := json.Marshal(before)
	if err != nil {
		t.Fatal(err)
	}
	merged, err := strategicpatch.StrategicMergePatch(raw, ProbePatch(workload.Deployment), before)
	if err != nil {
		t.Fatal(err)
	}
	after := &appsv1.Deployment{}
	if err := json.Unmarshal(merged, after); err != nil {
		t.Fatal(err)
	}
	if ProbeHeld(workload.Deployment, after, "shop") {
		t.Error("it comes back held where no policy is in force")
	}
	want := before.DeepCopy()
	want.Spec.Paused, want.Spec.Template.Annotations = false, map[string]string{"dr.backstay.dev/gate-probe": "probe"}
	delete(want.Annotations, v1alpha1.AnnotationHeldBy)
	if diff := cmp.Diff(want, after); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestProbeHeld(t *testing.T) {
	tests := map[string]struct {
		paused bool
		heldBy string
		plans  []string
		want   bool
	}{
		"held":                            {true, "ns/shop", []string{"shop"}, true},
		"held by the overlapping plan":    {true, "ns/other", []string{"shop", "other"}, true},
		"held by another plan":            {true, "ns/other", []string{"shop"}, false},
		"not paused":                      {false, "ns/shop", []string{"shop"}, false},
		"paused by its user":              {true, "", []string{"shop"}, false},
		"a hold of another namespace":     {true, "elsewhere/shop", []string{"shop"}, false},
		"a namespace that only begins so": {true, "ns2/shop", []string{"shop"}, false},
		"a mark without a plan":           {true, "ns/", []string{"shop"}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "web"}}
			d.Spec.Paused = test.paused
			if test.heldBy != "" {
				d.Annotations = map[string]string{v1alpha1.AnnotationHeldBy: test.heldBy}
			}
			if got := ProbeHeld(workload.Deployment, d, test.plans...); got != test.want {
				t.Errorf("held: %t, want %t", got, test.want)
			}
		})
	}
}
