// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"fmt"
	"testing"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/gate"
	"github.com/backstay-dr/backstay/internal/plan"
	"github.com/backstay-dr/backstay/test/gen"
)

// mustKeep fails the test unless exactly these releases are left.
func (s *sim) mustKeep(want ...string) {
	s.Helper()
	if got := sorted(s.releases); fmt.Sprint(got) != fmt.Sprint(want) {
		s.Errorf("at %s there are the releases %v, want %v", s.now.Sub(epoch), got, want)
	}
}

// Releases once stayed for ever: a decision over 2,000 took up to a second.
func TestReleasesBeyondTheLimitArePruned(t *testing.T) {
	s := shopSim(t, "web")
	s.editPlan(shop, gen.HistoryLimit(3))
	for i := range 30 {
		s.createRelease(gen.Release(shop, fmt.Sprintf("2.0.%02d", i)))
		s.pass(moment)
	}
	s.mustKeep("shop-2.0.27", "shop-2.0.28", "shop-2.0.29")
	s.mustRest()
}

// Releases that are created in one moment are pruned though nothing happens after that.
func TestReleasesThatComeTogetherArePruned(t *testing.T) {
	s := shopSim(t, "web")
	s.editPlan(shop, gen.HistoryLimit(3))
	s.pass(moment)
	for i := range 9 {
		s.createRelease(gen.Release(shop, fmt.Sprintf("2.0.%d", i)))
	}
	s.pass(moment)
	s.mustKeep("shop-2.0.6", "shop-2.0.7", "shop-2.0.8")
	s.mustRest()
}

// Whatever is pruned, what runs is known, backed up and protected, and an older version rolls out again under the next number.
func TestRolloutsGoOnWhereTheirReleasesArePruned(t *testing.T) {
	s := shopSim(t, "web")
	s.editPlan(shop, gen.HistoryLimit(1))
	for _, version := range []string{"1.5.0", "1.6.0", "1.7.0", "1.5.0", "1.8.0"} {
		s.set("web", version)
		s.pass(aWhile)
		s.mustRun("web", version)
	}
	v := s.plans[shop].Status.Versions
	if v.Running != "1.8.0" || v.Protected != "1.5.0" {
		t.Errorf("versions: %+v", v)
	}
	s.mustHaveBackups(5)
	s.mustKeep("shop-1.5.0", "shop-1.8.0")
	s.set("web", "1.5.0")
	s.pass(aWhile)
	if n := s.rollout("shop-1.5.0", 0).Number; n != 3 {
		t.Errorf("it is rollout %d of 1.5.0, want 3", n)
	}
	s.mustRest()
}

func TestReleaseThatIsOfUseIsNotPruned(t *testing.T) {
	for name, tc := range map[string]struct {
		happens func(s *sim)
		kept    string
	}{
		"the version runs": {func(s *sim) { s.set("web", "1.5.0"); s.pass(aWhile) }, "shop-1.5.0"},
		"the version is planned": {func(s *sim) {
			s.createRelease(gen.Release(shop, "1.9.0"))
			s.editPlan(shop, gen.Planned("1.9.0"))
		}, "shop-1.9.0"},
		"its backup protects the version that runs": {func(s *sim) {
			for _, version := range []string{"1.5.0", "1.6.0", "1.5.0", "1.7.0", "1.5.0"} {
				s.set("web", version)
				s.pass(aWhile)
			}
		}, "shop-1.6.0"},
		"it is announced": {func(s *sim) {
			s.setLocation(velerov1.BackupStorageLocationPhaseUnavailable)
			s.createRelease(gen.Release(shop, "1.5.0", gen.Deploy()))
			s.pass(aWhile)
		}, "shop-1.5.0"},
		"it waits for its backup": {func(s *sim) { s.velero.down = true; s.set("web", "1.5.0"); s.pass(moment) }, "shop-1.5.0"},
		"it escaped, and no backup holds that": {func(s *sim) {
			s.fails(100)
			s.gateUp = false
			s.set("web", "1.5.0")
			s.pass(aWhile)
		}, "shop-1.5.0"},
		"GitOps manages it": {func(s *sim) {
			s.createRelease(gen.Release(shop, "1.5.0", gen.Label("app.kubernetes.io/instance", "shop")))
		}, "shop-1.5.0"},
		"it records the last start of a workload": {func(s *sim) {
			s.edit("web", "user", gen.Image("registry.example/web:sha-1"), gen.TemplateLabel(gen.LabelVersion, ""))
			s.pass(aWhile)
			s.editPlan(shop, gen.Planned("1.5.0"))
			s.createRelease(gen.Release(shop, "1.5.0", gen.Artifact("registry.example/web:sha-1", "")))
			s.deleteBackup(s.rollout("shop-sha-1", 0).Backup.Name)
			s.pass(moment)
		}, "shop-sha-1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := shopSim(t, "web")
			tc.happens(s)
			s.editPlan(shop, gen.HistoryLimit(1))
			for i := range 4 {
				s.createRelease(gen.Release(shop, fmt.Sprintf("2.0.%d", i)))
				s.pass(moment)
			}
			if s.releases[tc.kept] == nil {
				t.Errorf("%s is pruned; there are %v", tc.kept, sorted(s.releases))
			}
			if s.releases["shop-2.0.0"] != nil || s.releases["shop-2.0.3"] == nil {
				t.Errorf("there are %v, want the newest of those that are of no use", sorted(s.releases))
			}
		})
	}
}

// A thousand releases of before there was a limit go in turns.
func TestOneDecisionPrunesABoundedNumber(t *testing.T) {
	in := facts.Input{Now: epoch, Cluster: "c", Namespace: ns, Name: shop, Plan: gen.Plan(shop), Backups: map[string]*velerov1.Backup{}}
	for i := range 1000 {
		in.Releases = append(in.Releases, gen.Release(shop, fmt.Sprint(i)))
	}
	if n := len(plan.Decide(in, gate.Finding{}).Prune); n > 20 {
		t.Errorf("%d are pruned at a time", n)
	}
}
