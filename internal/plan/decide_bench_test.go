// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/plan"
	"github.com/backstay-dr/backstay/test/gen"
)

// What one look at a large plan costs: 100 workloads, and 100 releases that each rolled all of them out. The target is 10 ms
// for each of the two, the decision about its releases and its status.
func BenchmarkDecision(b *testing.B) {
	const workloads, releases = 100, 100
	names := workloadNames(workloads)
	for _, scene := range []struct {
		name    string
		prepare func(s *sim)
	}{
		{"at rest", func(*sim) {}},
		{"everything is held", func(s *sim) {
			s.velero.down = true
			for _, name := range names {
				s.set(name, "3.0.0")
			}
			s.pass(moment)
		}},
	} {
		s := shopSim(b, names...)
		s.editPlan(shop, gen.HistoryLimit(releases))
		for _, name := range names {
			s.set(name, "2.0.0")
		}
		s.pass(aWhile)
		s.pastReleases("shop-2.0.0", releases-1)
		s.op.restart() // nobody told it of them
		s.pass(moment)
		scene.prepare(s)
		s.mustRest()
		in := s.op.observe(s.op.caches(), shop)
		finding := s.op.finding(in)
		b.Run(scene.name, func(b *testing.B) {
			for b.Loop() {
				plan.Decide(in, finding)
			}
		})
	}
}

// pastReleases adds releases that rolled out the same workloads as one did, each a day earlier than the next.
func (s *sim) pastReleases(like string, n int) {
	newest := s.releases[like]
	for i := 1; i <= n; i++ {
		earlier := func(t *metav1.Time) *metav1.Time {
			if t == nil {
				return nil
			}
			moved := metav1.NewTime(t.Add(-time.Duration(i) * 24 * time.Hour))
			return &moved
		}
		r := gen.Release(shop, fmt.Sprintf("1.0.%d", n-i))
		r.CreationTimestamp = *earlier(&newest.CreationTimestamp)
		r.Status = *newest.Status.DeepCopy()
		for j := range r.Status.Rollouts {
			ro := &r.Status.Rollouts[j]
			ro.OpenedTime, ro.AdmittedTime, ro.CompletionTime = *earlier(&ro.OpenedTime), earlier(ro.AdmittedTime), earlier(ro.CompletionTime)
			ro.Backup = &v1alpha1.RolloutBackup{Name: fmt.Sprintf("gone-%d", i), Phase: "Completed", Attempt: 1, Version: "1.0"}
			for k := range ro.Workloads {
				rec := &ro.Workloads[k]
				rec.TemplateHash = rec.TemplateHash[:len(rec.TemplateHash)-3] + fmt.Sprintf("%03d", i)
				rec.HeldSince, rec.AdmittedGeneration = earlier(rec.HeldSince), 1
			}
		}
		s.releases[r.Name] = r
	}
}
