// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"context"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/integration/harness"
	"github.com/backstay-dr/backstay/test/integration/stage"
)

// A tenant who creates as many plans as a namespace may have for the same workloads keeps nobody else from being gated, nor the operator
// from starting: what is looked at for each of them does not grow with the square of them all.
func TestFloodOfPlansInOneNamespaceDelaysNobodyElse(t *testing.T) {
	const flood, workloads, patience = v1alpha1.MaxPlans, 100, time.Minute
	ctx := t.Context()
	on, err := stage.Set(ctx, harness.StartForTest(t, harness.Options{}), stage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "flood"}}
	if err := on.Live.Create(ctx, namespace); err != nil {
		t.Fatal(err)
	}
	if err := on.Populate(ctx, 1); err != nil {
		t.Fatal(err)
	}
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(8)
	create := func(obj client.Object) { group.Go(func() error { return on.Live.Create(within, obj) }) }
	for n := range flood {
		plan := stage.NewPlan(namespace.Name, "all")
		plan.Name = fmt.Sprintf("all-%d", n)
		create(plan)
	}
	for n := range workloads {
		create(stage.NewDeployment(namespace.Name, fmt.Sprintf("app-%d", n), "all"))
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if _, err := on.StartOperator(ctx); err != nil {
		t.Fatal(err)
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := on.AwaitGated(limited, 1); err != nil {
		t.Fatalf("after %s the other namespace's plan is not gated: %v", time.Since(began), err)
	}
	t.Logf("gated %s after the start, beside %d plans of the same %d Deployments", time.Since(began).Round(time.Millisecond), flood, workloads)
}
