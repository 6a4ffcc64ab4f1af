// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"cmp"
	"slices"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	appsv1 "k8s.io/api/apps/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/plan"
	"github.com/backstay-dr/backstay/internal/velero"
	"github.com/backstay-dr/backstay/internal/workload"
)

// observe gathers the input as internal/observe does.
func (o *operator) observe(seen state, name string) plan.Input {
	in := plan.Input{
		Now: o.now.Add(o.clock), Namespace: ns, Name: name, Plan: seen.plans[name], Terminating: seen.terminating,
		Backups: map[string]*velerov1.Backup{}, LocationProblem: velero.LocationProblem(seen.location, "", ns),
	}
	recorded := map[string]bool{}
	for _, r := range seen.releases {
		if r.Spec.Plan == name {
			in.Releases = append(in.Releases, r)
			recordedOpen(r, recorded)
		}
	}
	for _, d := range sorted(seen.deployments) {
		if m := member(seen, name, seen.deployments[d]); m.Selected || m.HeldByPlan(name) || m.StaleHold() || recorded[d] {
			in.Members = append(in.Members, m)
		}
	}
	slices.SortFunc(in.Releases, func(a, b *v1alpha1.AppRelease) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	for _, b := range seen.backups {
		if b.Labels[v1alpha1.LabelNamespace] == ns && b.Labels[v1alpha1.LabelPlan] == name {
			in.Backups[b.Name] = b
		}
	}
	return in
}

func member(seen state, name string, d *appsv1.Deployment) plan.Member {
	cut, _ := workload.Slim(d.DeepCopy())
	var sets []appsv1.ReplicaSet
	for _, set := range seen.setsOf(d) {
		slim, _ := workload.Slim(set.DeepCopy())
		sets = append(sets, *slim.(*appsv1.ReplicaSet))
	}
	m := plan.Member{View: workload.FromDeployment(cut.(*appsv1.Deployment), sets)}
	var selecting []*v1alpha1.DRPlan
	for _, p := range sorted(seen.plans) {
		if selects(seen.plans[p], d) || m.HeldByPlan(p) {
			selecting = append(selecting, seen.plans[p])
		}
	}
	slices.SortStableFunc(selecting, func(a, b *v1alpha1.DRPlan) int { return cmp.Compare(rank(a), rank(b)) })
	for i, p := range selecting {
		if p.Name == name {
			m.Selected, m.Driver = true, i == 0
		} else {
			m.SharedWith = append(m.SharedWith, p.Name)
		}
	}
	slices.Sort(m.SharedWith)
	return m
}

// recordedOpen notes the workloads of the open rollouts of a release.
func recordedOpen(r *v1alpha1.AppRelease, names map[string]bool) {
	for i := range r.Status.Rollouts {
		for j := range r.Status.Rollouts[i].Workloads {
			if r.Status.Rollouts[i].Outcome == "" {
				names[r.Status.Rollouts[i].Workloads[j].Name] = true
			}
		}
	}
}

func rank(p *v1alpha1.DRPlan) int {
	return slices.Index([]v1alpha1.GateMode{v1alpha1.GateModeHold, v1alpha1.GateModeObserve, v1alpha1.GateModeOff}, p.Spec.Gate.Mode)
}
