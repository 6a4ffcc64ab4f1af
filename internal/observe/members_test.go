// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/workload"
	"github.com/backstay-dr/backstay/test/gen"
)

// Which plans a workload is of, and which of them moves it: the first.
func TestPlansSelecting(t *testing.T) {
	shop := gen.Plan("shop")
	lab := gen.Plan("lab", gen.Selects("team", "lab"))
	narrow := gen.Plan("narrow", gen.Selects(gen.LabelPartOf, "shop"))
	narrow.Spec.Workloads.MatchLabels["team"] = "blue"
	empty := gen.Plan("empty")
	empty.Spec.Workloads.MatchLabels = nil
	plans := []*v1alpha1.DRPlan{empty, lab, narrow, shop}
	blue, other := gen.Label("team", "blue"), gen.Label(gen.LabelPartOf, "other")
	for name, tc := range map[string]struct {
		options []gen.DeploymentOption
		want    []string
	}{
		"its labels":                           {nil, []string{"shop"}},
		"all labels of a plan":                 {[]gen.DeploymentOption{blue}, []string{"narrow", "shop"}},
		"no plan":                              {[]gen.DeploymentOption{other}, nil},
		"held, and its labels are gone":        {[]gen.DeploymentOption{other, gen.Held("ns", "shop")}, []string{"shop"}},
		"held, and moved to another":           {[]gen.DeploymentOption{other, gen.Label("team", "lab"), gen.Held("ns", "shop")}, []string{"lab", "shop"}},
		"held by a plan that is gone":          {[]gen.DeploymentOption{other, gen.Held("ns", "gone")}, nil},
		"the mark of another namespace":        {[]gen.DeploymentOption{other, gen.Held("elsewhere", "shop")}, nil},
		"a mark without a pause is no hold":    {[]gen.DeploymentOption{other, gen.Annotation(v1alpha1.AnnotationHeldBy, "ns/shop")}, nil},
		"held by the plan whose labels it has": {[]gen.DeploymentOption{gen.Held("ns", "shop")}, []string{"shop"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, p := range plansSelecting(plans, workload.Deployment, gen.Deployment("web", tc.options...)) {
				got = append(got, p.Name)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What is still to be recorded of a workload keeps it in sight, whatever became of its labels.
func TestKnownTo(t *testing.T) {
	of := func(name string) v1alpha1.RolloutWorkload {
		return v1alpha1.RolloutWorkload{Group: "apps", Kind: "Deployment", Name: name}
	}
	seen := func(name string) v1alpha1.PlanWorkload {
		return v1alpha1.PlanWorkload{Group: "apps", Kind: "Deployment", Name: name}
	}
	release := gen.Release("shop", "1.5.0")
	release.Status.Rollouts = []v1alpha1.Rollout{
		{Number: 2, Workloads: []v1alpha1.RolloutWorkload{of("api"), of("web")}},
		{Number: 1, Outcome: v1alpha1.OutcomeRolledOut, Workloads: []v1alpha1.RolloutWorkload{of("job")}},
	}
	in := &facts.Input{Releases: []*v1alpha1.AppRelease{release}, Plan: gen.Plan("shop", gen.PlanStatus(v1alpha1.DRPlanStatus{
		Workloads: []v1alpha1.PlanWorkload{seen("web"), seen("cron")}, Departed: []v1alpha1.PlanWorkload{seen("mail")},
	}))}
	want := map[workload.Key]bool{}
	for _, name := range []string{"api", "web", "cron", "mail"} {
		want[workload.Key{Group: "apps", Kind: "Deployment", Name: name}] = true
	}
	if diff := cmp.Diff(want, knownTo(in)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A storage location that changes concerns the plans whose backups go there, and no other.
func TestStoresIn(t *testing.T) {
	unnamed, named := gen.Plan("shop"), gen.Plan("bank")
	named.Spec.Backup.StorageLocation = "vault"
	for name, tc := range map[string]struct {
		location         string
		isDefault        bool
		unnamed, toNamed bool
	}{
		"the default":            {"main", true, true, false},
		"the one that is named":  {"vault", false, false, true},
		"named, and the default": {"vault", true, true, true},
		"neither":                {"other", false, false, false},
	} {
		if got := storesIn(unnamed, tc.location, tc.isDefault); got != tc.unnamed {
			t.Errorf("%s: a plan that names none: %t", name, got)
		}
		if got := storesIn(named, tc.location, tc.isDefault); got != tc.toNamed {
			t.Errorf("%s: a plan that names vault: %t", name, got)
		}
	}
}
