// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"cmp"
	"context"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/plan"
	"github.com/backstay-dr/backstay/internal/workload"
)

// readMembers finds the workloads that the plan selects, that it holds, or that are in one of its open rollouts.
func (o *Observer) readMembers(ctx context.Context, in *plan.Input) error {
	deployments := map[string]*appsv1.Deployment{}
	fields := []client.MatchingFields{{fieldHeldBy: workload.HoldMark(in.Namespace, in.Name)}}
	if in.Plan != nil {
		fields = append(fields, client.MatchingFields{fieldLabel: firstPair(in.Plan)})
	}
	for _, field := range fields {
		list := &appsv1.DeploymentList{}
		if err := o.Reader.List(ctx, list, client.InNamespace(in.Namespace), field); err != nil {
			return err
		}
		for i := range list.Items {
			deployments[list.Items[i].Name] = &list.Items[i]
		}
	}
	recorded := inOpenRollouts(in.Releases)
	for name := range recorded {
		d := &appsv1.Deployment{}
		switch err := o.Reader.Get(ctx, client.ObjectKey{Namespace: in.Namespace, Name: name}, d); {
		case err == nil:
			deployments[name] = d
		case !apierrors.IsNotFound(err):
			return err
		}
	}
	for _, d := range deployments {
		m, err := o.member(ctx, in, d)
		if err != nil {
			return err
		}
		if m.Selected || m.Held() || m.StaleHold() || recorded[m.Name] {
			in.Members = append(in.Members, m)
		}
	}
	slices.SortFunc(in.Members, func(a, b plan.Member) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

// inOpenRollouts names the workloads that something is still to be recorded of, whatever became of their labels.
func inOpenRollouts(releases []*v1alpha1.AppRelease) map[string]bool {
	names := map[string]bool{}
	for _, r := range releases {
		for i := range r.Status.Rollouts {
			ro := &r.Status.Rollouts[i]
			for j := range ro.Workloads {
				if ro.Outcome == "" {
					names[ro.Workloads[j].Name] = true
				}
			}
		}
	}
	return names
}

func (o *Observer) member(ctx context.Context, in *plan.Input, d *appsv1.Deployment) (plan.Member, error) {
	sets := &appsv1.ReplicaSetList{}
	if err := o.Reader.List(ctx, sets, client.InNamespace(d.Namespace), client.MatchingFields{fieldOwner: string(d.UID)}); err != nil {
		return plan.Member{}, err
	}
	m := plan.Member{View: workload.FromDeployment(d, sets.Items)}
	plans, err := o.PlansSelecting(ctx, d)
	if err != nil {
		return m, err
	}
	for i, p := range plans {
		if p.Name == in.Name {
			m.Selected, m.Driver = true, i == 0
		} else {
			m.SharedWith = append(m.SharedWith, p.Name)
		}
	}
	slices.Sort(m.SharedWith)
	if in.Plan != nil && len(plans) == 0 && m.HeldByPlan(in.Name) {
		m.Selected, m.Driver = true, true
	}
	return m, nil
}

// PlansSelecting finds the plans that select a workload. The first one moves it: one that holds before one that
// observes before one that is off, then by name.
func (o *Observer) PlansSelecting(ctx context.Context, obj client.Object) ([]*v1alpha1.DRPlan, error) {
	var out []*v1alpha1.DRPlan
	for _, label := range labelsOf(obj) {
		list, by := &v1alpha1.DRPlanList{}, client.MatchingFields{fieldSelector: label}
		if err := o.Reader.List(ctx, list, client.InNamespace(obj.GetNamespace()), by); err != nil {
			return nil, err
		}
		for i := range list.Items {
			if selects(&list.Items[i], obj.GetLabels()) {
				out = append(out, &list.Items[i])
			}
		}
	}
	slices.SortFunc(out, func(a, b *v1alpha1.DRPlan) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a.Name, b.Name))
	})
	return out, nil
}

func selects(p *v1alpha1.DRPlan, labels map[string]string) bool {
	for k, v := range p.Spec.Workloads.MatchLabels {
		if got, ok := labels[k]; !ok || got != string(v) {
			return false
		}
	}
	return len(p.Spec.Workloads.MatchLabels) > 0
}

func rank(p *v1alpha1.DRPlan) int {
	return slices.Index([]v1alpha1.GateMode{v1alpha1.GateModeHold, v1alpha1.GateModeObserve, v1alpha1.GateModeOff}, p.Spec.Gate.Mode)
}

// Neighbours finds the plans that select a workload which a plan selects too, that plan among them.
func (o *Observer) Neighbours(ctx context.Context, p *v1alpha1.DRPlan) ([]client.ObjectKey, error) {
	list := &appsv1.DeploymentList{}
	if err := o.Reader.List(ctx, list, client.InNamespace(p.Namespace), client.MatchingFields{fieldLabel: firstPair(p)}); err != nil {
		return nil, err
	}
	var out []client.ObjectKey
	for i := range list.Items {
		if !selects(p, list.Items[i].Labels) {
			continue
		}
		plans, err := o.PlansSelecting(ctx, &list.Items[i])
		if err != nil {
			return nil, err
		}
		for _, other := range plans {
			out = append(out, client.ObjectKeyFromObject(other))
		}
	}
	return out, nil
}

// AllPlans lists every plan.
func (o *Observer) AllPlans(ctx context.Context) ([]client.ObjectKey, error) {
	list := &v1alpha1.DRPlanList{}
	if err := o.Reader.List(ctx, list); err != nil {
		return nil, err
	}
	out := make([]client.ObjectKey, 0, len(list.Items))
	for i := range list.Items {
		out = append(out, client.ObjectKeyFromObject(&list.Items[i]))
	}
	return out, nil
}
