// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/gen"
)

// Backups whose ReplicaSet was created in the second in which they were completed keep their version, whatever cannot be compared.
func TestPromise2_AnotherSchemeDevaluesNoBackup(t *testing.T) {
	for name, change := range map[string]func(s *sim){
		"upgrade":            func(s *sim) { s.away(func() { s.oldScheme(); s.admittedToOldScheme() }) },
		"restartAnnotations": func(s *sim) { s.editPlan(shop, gen.RestartAnnotations("example.com/restarted")) },
	} {
		t.Run(name, func(t *testing.T) {
			s := shopSim(t, "web")
			for _, v := range []string{"1.5.0", "1.6.0", "1.7.0"} {
				s.set("web", v)
				s.sameSecond(20 * time.Second)
				s.mustRun("web", v)
			}
			var before, after []string
			for _, b := range sorted(s.backups) {
				before = append(before, s.backups[b].Annotations[v1alpha1.AnnotationVersion])
			}
			change(s)
			s.pass(time.Minute)
			for _, b := range sorted(s.backups) {
				after = append(after, s.backups[b].Annotations[v1alpha1.AnnotationVersion])
			}
			if fmt.Sprint(before) != fmt.Sprint(after) {
				t.Errorf("the backups captured %q, and after the change %q", before, after)
			}
		})
	}
}

// A held template that looks as the one that runs differs in a field that this version does not know. It is no revert, whatever
// else cannot be compared.
func TestPromise1_HeldLookAlikeIsNoRevertInAnotherScheme(t *testing.T) {
	for _, scheme := range []bool{false, true} {
		s := shopSim(t, "api", "web")
		s.velero.down = true
		// a field that this version of Backstay does not know: the gate holds, and the hash is the same.
		d := s.deployments["web"].DeepCopy()
		gen.ApplyToDeployment(d, gen.Held(ns, shop))
		d.Generation++
		s.stored(d)
		s.deployments["web"] = d
		s.truth.heldAt[d.UID] = s.now
		s.tell()
		s.pass(moment)
		s.mustHold("web")
		if scheme {
			s.away(func() { s.oldScheme() })
		}
		s.pass(aWhile)
		if v := view(s.deployments["web"]); !v.Held() {
			t.Errorf("scheme changed %t: it was released without a backup: %+v", scheme, v.Admitted)
		}
	}
}

// A rollout that is in flight while the scheme changes ends as it would have.
func TestRolloutIsFollowedThroughAChangeOfTheScheme(t *testing.T) {
	s := shopSim(t, "web")
	s.broken["web"] = true
	s.set("web", "1.5.0")
	s.pass(aWhile)
	s.editPlan(shop, gen.RestartAnnotations("example.com/restarted"))
	s.pass(aWhile)
	s.noEscape()
	if o := s.rollout("shop-1.5.0", 0).Outcome; o != "" {
		t.Errorf("in flight, outcome %s", o)
	}
	s.broken["web"] = false
	s.pass(time.Minute)
	if o := s.rollout("shop-1.5.0", 0).Outcome; o != v1alpha1.OutcomeRolledOut {
		t.Errorf("rolled out, outcome %s", o)
	}
}

// An operator that was replaced just after it admitted something is read back by its successor.
func TestAdmissionIsReadBackInAnotherScheme(t *testing.T) {
	for _, after := range []int{0, 1, 2, 3} {
		s := shopSim(t, "web")
		s.set("web", "1.5.0")
		s.admitUnrecorded("web")
		for range after {
			s.op.work()
		}
		s.away(func() {
			s.now = s.now.Add(time.Second)
			s.roll()
			s.oldScheme()
			s.admittedToOldScheme()
			s.now = s.now.Add(time.Second)
			s.roll()
		})
		s.pass(time.Minute)
		s.noEscape()
	}
}

func (s *sim) admittedToOldScheme() {
	old := func(a map[string]string) map[string]string {
		v, ok := a[v1alpha1.AnnotationAdmitted]
		if !ok {
			return a
		}
		out := maps.Clone(a)
		i := strings.Index(v, `"template":"`) + len(`"template":"`)
		j := strings.Index(v[i:], "-")
		out[v1alpha1.AnnotationAdmitted] = v[:i] + "v1" + v[i+j:]
		return out
	}
	for _, n := range sorted(s.deployments) {
		d := s.deployments[n].DeepCopy()
		d.Annotations = old(d.Annotations)
		s.stored(d)
		s.deployments[n] = d
	}
	for _, n := range sorted(s.sets) {
		set := s.sets[n].DeepCopy()
		set.Annotations = old(set.Annotations)
		s.storeSet(set)
	}
	s.tell()
}

// sameSecond lets time pass so that what a backup allows starts in the second in which it is Completed.
func (s *sim) sameSecond(d time.Duration) {
	for range int(d / time.Second) {
		s.now = s.now.Add(time.Second)
		s.backUp()
		s.settle()
		s.roll()
		s.settle()
	}
}

func (s *sim) noEscape() {
	s.Helper()
	for _, name := range sorted(s.releases) {
		for i, ro := range s.releases[name].Status.Rollouts {
			for _, w := range ro.Workloads {
				if w.StartReason == v1alpha1.StartNotHeld || ro.Cause == v1alpha1.CauseEscaped {
					s.Errorf("%s: release %s rollout[%d] n%d cause %s outcome %q: %s %s %s", s.now.Sub(epoch), name, i, ro.Number, ro.Cause, ro.Outcome, w.Name, w.State, w.StartReason)
				}
			}
		}
	}
}
