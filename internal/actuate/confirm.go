// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package actuate

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/ledger"
	"github.com/backstay-dr/backstay/internal/plan"
	"github.com/backstay-dr/backstay/internal/workload"
)

// confirm reads from the API server what a decision rests on where a cache that is behind would mislead it: each kind has a
// cache of its own. What it looks at is rare, and not on the way of a rollout that its backup releases.
func (a *Actuator) confirm(ctx context.Context, in facts.Input, d plan.Decision) error {
	if slices.ContainsFunc(d.Starts, plan.Start.ByPlan) {
		if err := a.confirmPlan(ctx, in); err != nil {
			return err
		}
	}
	for i := range d.Escapes {
		if err := a.confirmEscape(ctx, &d.Escapes[i]); err != nil {
			return err
		}
	}
	for _, name := range d.Lost {
		if err := a.confirmLost(ctx, in, name); err != nil {
			return err
		}
	}
	return nil
}

// confirmPlan: it is the plan alone that releases something: that it is gone, or does not hold, or that its deadline has
// passed. The cache of plans may be behind the one that shows the hold.
func (a *Actuator) confirmPlan(ctx context.Context, in facts.Input) error {
	live := &v1alpha1.DRPlan{}
	err := a.Live.Get(ctx, client.ObjectKey{Namespace: in.Namespace, Name: in.Name}, live)
	if client.IgnoreNotFound(err) != nil {
		return err
	}
	gone := err != nil
	if gone && in.Plan == nil || !gone && in.Plan != nil && live.UID == in.Plan.UID && live.Generation == in.Plan.Generation {
		return nil
	}
	return stale(v1alpha1.GroupVersion.WithResource("drplans"), in.Name)
}

// confirmEscape: a revision is seen to run, and the workload does not say that it was admitted. Its own cache may be behind that
// of the revisions, or the other way round.
func (a *Actuator) confirmEscape(ctx context.Context, e *ledger.Escape) error {
	k := workload.KindOf(e.Workload.Key)
	live := k.New()
	if err := a.Live.Get(ctx, client.ObjectKey{Namespace: e.Workload.Namespace, Name: e.Workload.Name}, live); client.IgnoreNotFound(err) != nil {
		return err
	}
	k.Slim(live) // as the cache shows it
	now := k.View(live, nil)
	if now.UID != e.Workload.UID || now.Generation != e.Workload.Generation || now.HeldBy != e.Workload.HeldBy ||
		!reflect.DeepEqual(now.Override, e.Workload.Override) || !reflect.DeepEqual(now.Admitted, e.Workload.Admitted) {
		return stale(k.GroupVersionResource, e.Workload.Name)
	}
	if e.Revision == "" {
		return nil
	}
	revision := k.Revisions.New()
	err := a.Live.Get(ctx, client.ObjectKey{Namespace: e.Workload.Namespace, Name: e.Revision}, revision)
	if client.IgnoreNotFound(err) != nil {
		return err
	}
	runs := func(r workload.Revision) bool { return r.Name == e.Revision && r.Pods > 0 }
	if err != nil || !slices.ContainsFunc(k.View(live, []workload.Object{revision}).Revisions, runs) {
		return stale(k.Revisions.GroupVersionResource, e.Revision)
	}
	return nil
}

// confirmLost: a Backup was there and is not any more. The cache of an operator that has just started may be older than what
// was recorded. One that has lost our labels is no Backup of ours any more.
func (a *Actuator) confirmLost(ctx context.Context, in facts.Input, name string) error {
	live := &velerov1.Backup{}
	err := a.Live.Get(ctx, client.ObjectKey{Namespace: a.VeleroNamespace, Name: name}, live)
	if err == nil {
		ours := map[string]string{v1alpha1.LabelCluster: in.Cluster, v1alpha1.LabelNamespace: in.Namespace, v1alpha1.LabelPlan: in.Name}
		if !maps.Equal(ownership(live), ours) {
			return nil
		}
		return stale(velerov1.SchemeGroupVersion.WithResource("backups"), name)
	}
	return client.IgnoreNotFound(err)
}

// stale is the error of a decision that rests on a cache which is behind.
func stale(of schema.GroupVersionResource, name string) error {
	return apierrors.NewConflict(of.GroupResource(), name, errors.New("the cache does not show it as it is"))
}
