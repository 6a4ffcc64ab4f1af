// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"testing"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// checkReleaseStatus checks a status against the bounds of the CRD: the API server refuses one that is beyond them, and
// the release would be stuck.
func checkReleaseStatus(t testing.TB, name string, s *v1alpha1.AppReleaseStatus) {
	t.Helper()
	c := bounds{t, "release " + name}
	c.most("rollouts", len(s.Rollouts), 10)
	c.least("observedGeneration", s.ObservedGeneration, 1)
	c.conditions(s.Conditions)
	numbers := map[int32]bool{}
	for i := range s.Rollouts {
		ro := &s.Rollouts[i]
		c.least("number", int64(ro.Number), 1)
		c.unique("number", numbers[ro.Number])
		numbers[ro.Number] = true
		c.text("cause", string(ro.Cause), 1, 16)
		c.text("previousVersion", ro.PreviousVersion, 0, 512)
		c.most("workloads", len(ro.Workloads), 100)
		c.least("openedTime", ro.OpenedTime.Unix(), 1)
		c.backup(ro.Backup)
		names := map[string]bool{}
		for j := range ro.Workloads {
			rec := &ro.Workloads[j]
			c.unique("workload", names[rec.Name])
			names[rec.Name] = true
			c.record(rec)
		}
	}
}

// checkPlanStatus does the same for a plan.
func checkPlanStatus(t testing.TB, s *v1alpha1.DRPlanStatus) {
	t.Helper()
	c := bounds{t, "plan"}
	c.conditions(s.Conditions)
	c.most("held", len(s.Held), 100)
	c.most("workloads", len(s.Workloads), 100)
	c.text("gateProof", s.GateProof, 0, 128)
	c.text("running", s.Versions.Running, 0, 512)
	c.text("protected", s.Versions.Protected, 0, 128)
	if int(s.HeldCount) != len(s.Held) {
		t.Errorf("plan: heldCount is %d of %d", s.HeldCount, len(s.Held))
	}
	departed := map[string]bool{}
	for i := range s.Departed {
		c.unique("departed", departed[s.Departed[i].Name])
		departed[s.Departed[i].Name] = true
	}
	for i := range s.Held {
		c.text("held version", s.Held[i].Version, 0, 128)
		c.text("held reason", s.Held[i].Reason, 1, 128)
	}
	for i := range s.Workloads {
		c.text("workload version", s.Workloads[i].Version, 0, 128)
		c.text("workload hash", s.Workloads[i].TemplateHash, 0, 64)
	}
	if last := s.LastStart; last != nil {
		c.text("lastStart version", last.Version, 0, 128)
		c.least("lastStart", last.Time.Unix(), 1)
	}
	if b := s.ProtectingBackup; b != nil {
		c.text("protectingBackup name", b.Name, 1, 63)
		c.text("protectingBackup version", b.Version, 1, 128)
		c.least("protectingBackup", b.CompletionTime.Unix(), 1)
	}
}

type bounds struct {
	t    testing.TB
	what string
}

func (c bounds) text(field, value string, least, most int) {
	c.t.Helper()
	if n := utf8.RuneCountInString(value); n < least || n > most {
		c.t.Errorf("%s: %s has %d characters, of %d to %d", c.what, field, n, least, most)
	}
}

func (c bounds) most(field string, n, most int) {
	c.t.Helper()
	if n > most {
		c.t.Errorf("%s: %d %s, of at most %d", c.what, n, field, most)
	}
}

func (c bounds) least(field string, n, least int64) {
	c.t.Helper()
	if n < least {
		c.t.Errorf("%s: %s is %d, of at least %d", c.what, field, n, least)
	}
}

func (c bounds) unique(field string, seen bool) {
	c.t.Helper()
	if seen {
		c.t.Errorf("%s: the same %s twice", c.what, field)
	}
}

func (c bounds) backup(b *v1alpha1.RolloutBackup) {
	c.t.Helper()
	if b == nil {
		return
	}
	c.text("backup name", b.Name, 1, 63)
	c.least("attempt", int64(b.Attempt), 1)
	c.least("queuePosition", int64(b.QueuePosition), 0)
	c.text("backup version", b.Version, 0, 128)
	c.text("phase", b.Phase, 0, 64)
}

func (c bounds) record(rec *v1alpha1.RolloutWorkload) {
	if rec.Override != nil {
		c.text("user", rec.Override.User, 1, 256)
		c.text("reason", rec.Override.Reason, 1, 256)
	}
	c.t.Helper()
	c.text("name", rec.Name, 1, 253)
	c.text("uid", rec.UID, 0, 64)
	c.text("templateHash", rec.TemplateHash, 1, 64)
	c.text("previousRevision", rec.PreviousRevision, 0, 253)
	c.text("previousVersion", rec.PreviousVersion, 0, 128)
	c.text("state", string(rec.State), 1, 16)
	if rec.StartReason != "" {
		c.least("admittedGeneration", rec.AdmittedGeneration, 1)
	}
}

func (c bounds) conditions(list []metav1.Condition) {
	c.t.Helper()
	c.most("conditions", len(list), 16)
	for _, condition := range list {
		c.text(condition.Type+" reason", condition.Reason, 1, 1024)
		c.text(condition.Type+" message", condition.Message, 0, 4096)
	}
}
