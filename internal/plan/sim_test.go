// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"strings"
	"testing"
	"time"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/plan"
	"github.com/backstay-dr/backstay/test/gen"
	"github.com/backstay-dr/backstay/test/gen/golden"
)

// sim is a world with an operator in it.
type sim struct {
	*world
	op *operator
}

func newSim(t testing.TB) *sim {
	w := newWorld(t)
	return &sim{w, newOperator(w)}
}

// shopSim is one with a plan and Deployments that run 1.4.2, all at rest.
func shopSim(t testing.TB, workloads ...string) *sim {
	s := newSim(t)
	for _, name := range workloads {
		s.createDeployment(gen.Deployment(name, gen.Runs("1.4.2")))
	}
	s.pass(5 * time.Second)
	s.createPlan(gen.Plan(shop, gen.Planned("1.4.2")))
	s.pass(5 * time.Second)
	return s
}

// record begins a transcript.
func (s *sim) record() { s.log = &strings.Builder{} }

// check ends it.
func (s *sim) check(t *testing.T, name string) {
	t.Helper()
	golden.Check(t, name, s.log.String())
	s.mustRest()
}

// settle lets the operator do what there is to do now.
func (s *sim) settle() {
	const enough = 50
	for range enough {
		if !s.op.work() {
			return
		}
	}
	s.Fatalf("at %s the operator still finds something to do after %d rounds", s.now.Sub(epoch), enough)
}

// pass lets time pass. Every second Velero, the Deployment controller and the operator get their turn.
func (s *sim) pass(d time.Duration) {
	s.settle()
	for end := s.now.Add(d); s.now.Before(end); {
		s.now = s.now.Add(time.Second)
		s.backUp()
		s.roll()
		s.settle()
	}
}

// set rolls a Deployment out to a version, as a user does.
func (s *sim) set(name, version string, more ...gen.DeploymentOption) {
	s.edit(name, "user", append([]gen.DeploymentOption{gen.Runs(version)}, more...)...)
}

// mustRest checks what holds whenever nothing happens: a decision that was carried out leaves nothing to do, and labels
// tell the truth.
func (s *sim) mustRest() {
	s.Helper()
	s.settle()
	s.checkLabels()
	for _, name := range s.op.planNames() {
		in := s.op.observe(s.op.caches(), name)
		d := plan.Decide(in, s.op.finding(in))
		if d.Plan != nil || len(d.Create)+len(d.Statuses)+len(d.Backups)+len(d.Relabel)+len(d.Touch)+len(d.Starts)+len(d.Clean)+
			len(d.Withdraw)+len(d.Prune)+len(d.Explain) > 0 {
			s.Errorf("at %s there is still something to do for plan %s: %+v", s.now.Sub(epoch), name, d)
		}
	}
}

// mustRun fails the test unless a Deployment runs a version, and nothing holds it.
func (s *sim) mustRun(name, version string) {
	s.Helper()
	d := s.deployments[name]
	if v := view(d); v.Held() || versionOf(d) != version || s.truth.running[d.UID] != hashOf(d) {
		s.Errorf("at %s %s does not run %s: %s", s.now.Sub(epoch), name, version, s.describe(d))
	}
}

// mustHold fails the test unless a Deployment is held.
func (s *sim) mustHold(name string) {
	s.Helper()
	if v := view(s.deployments[name]); !v.Held() {
		s.Errorf("at %s %s is not held: %s", s.now.Sub(epoch), name, s.describe(s.deployments[name]))
	}
}

// mustHaveBackups fails the test unless that many Backups exist.
func (s *sim) mustHaveBackups(n int) {
	s.Helper()
	if len(s.backups) != n {
		s.Errorf("at %s there are %d backups, want %d: %v", s.now.Sub(epoch), len(s.backups), n, sorted(s.backups))
	}
}

// rollout is one of a release, the newest being 0.
func (s *sim) rollout(release string, i int) *v1alpha1.Rollout {
	s.Helper()
	r := s.releases[release]
	if r == nil || len(r.Status.Rollouts) <= i {
		s.Fatalf("at %s release %s has no rollout %d", s.now.Sub(epoch), release, i)
	}
	return &r.Status.Rollouts[i]
}
