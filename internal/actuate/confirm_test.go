// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package actuate

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/ledger"
	"github.com/backstay-dr/backstay/internal/plan"
	"github.com/backstay-dr/backstay/internal/workload"
	"github.com/backstay-dr/backstay/test/gen"
)

// What nobody admitted is recorded after a look at the API server: the caches of Deployments, ReplicaSets and Backups differ in
// age, and a release that the one does not show yet would look like an escape in the other.
func TestNothingIsRecordedAsAnEscapeThatOnlyACacheShows(t *testing.T) {
	seen := gen.Deployment("web", gen.Runs("1.5.0"), gen.Held("ns", "shop"), gen.Generation(4))
	set := func(replicas int32) *appsv1.ReplicaSet { return gen.ReplicaSet(seen, 2, replicas, time.Unix(1000, 0)) }
	changed := func(options ...gen.DeploymentOption) *appsv1.Deployment {
		d := seen.DeepCopy()
		for _, o := range options {
			gen.ApplyToDeployment(d, o)
		}
		return d
	}
	for name, tc := range map[string]struct {
		live     []client.Object
		revision string
		real     bool
	}{
		"it is so":                  {[]client.Object{seen.DeepCopy(), set(1)}, "web-2", true},
		"the workload asks for it":  {[]client.Object{seen.DeepCopy()}, "", true},
		"scaled down meanwhile":     {[]client.Object{seen.DeepCopy(), set(0)}, "web-2", false},
		"the ReplicaSet is gone":    {[]client.Object{seen.DeepCopy()}, "web-2", false},
		"it was admitted meanwhile": {[]client.Object{changed(gen.Annotation(v1alpha1.AnnotationAdmitted, `{"uid":"uid-web"}`)), set(1)}, "web-2", false},
		"it was overridden":         {[]client.Object{changed(gen.Overridden("jane", "fire")), set(1)}, "web-2", false},
		"it was changed":            {[]client.Object{changed(gen.Generation(5)), set(1)}, "web-2", false},
		"it was created again":      {[]client.Object{changed(gen.UID("another")), set(1)}, "web-2", false},
		"it was deleted":            {nil, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, "", tc.live...)
			d := plan.Decision{Escapes: []ledger.Escape{{Workload: workload.FromDeployment(seen, nil), Revision: tc.revision}}}
			err := b.Apply(t.Context(), facts.Input{Namespace: "ns", Name: "shop"}, d)
			if (err == nil) != tc.real || err != nil && !apierrors.IsConflict(err) {
				t.Errorf("Apply: %v; want a conflict: %t", err, !tc.real)
			}
		})
	}
}

func TestNoBackupIsRecordedAsLostThatOnlyACacheLacks(t *testing.T) {
	lost := plan.Decision{Lost: []string{"b"}}
	in := facts.Input{Cluster: "c", Namespace: "ns", Name: "shop"}
	there := gen.Backup("b", gen.Label(v1alpha1.LabelCluster, "c"), gen.Label(v1alpha1.LabelNamespace, "ns"), gen.Label(v1alpha1.LabelPlan, "shop"))
	if err := newBench(t, "", gen.Backup("b")).Apply(t.Context(), in, lost); err != nil {
		t.Errorf("it is not ours any more, and Apply returns %v", err)
	}
	if err := newBench(t, "", there).Apply(t.Context(), in, lost); !apierrors.IsConflict(err) {
		t.Errorf("it exists, and Apply returns %v", err)
	}
	if err := newBench(t, "").Apply(t.Context(), facts.Input{}, lost); err != nil {
		t.Errorf("it is gone, and Apply returns %v", err)
	}
}
