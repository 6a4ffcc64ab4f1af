// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/plan"
	"github.com/backstay-dr/backstay/test/gen"
)

// checkDecision judges a decision by its own input, and by nothing that happened: whatever the records say, true or not, a
// held workload is let go only for a reason that the input bears out.
func checkDecision(in *facts.Input, d *plan.Decision) error {
	for i := range d.Starts {
		s := &d.Starts[i]
		if !s.Workload.Held() {
			return fmt.Errorf("%s is let go and not held", s.Workload.Name)
		}
		if wrong := whyNot(in, d, s); wrong != "" {
			return fmt.Errorf("%s is let go for %s: %s", s.Workload.Name, s.Reason, wrong)
		}
	}
	return nil
}

func whyNot(in *facts.Input, d *plan.Decision, s *plan.Start) string {
	if s.Workload.Generation <= 1 {
		return "it was restored as it is held"
	}
	switch s.Reason {
	case plan.StartPlanDeleted:
		return unless(in.Plan == nil, "there is a plan")
	case plan.StartReverted:
		rev, exists := s.Workload.Revision(s.Workload.Template.Hash)
		runs := exists && rev.Replicas > 0 || s.Workload.Active() == 0
		return unless(runs, "its template does not run")
	case string(v1alpha1.StartModeChanged):
		return unless(in.Plan.Spec.Gate.Mode != v1alpha1.GateModeHold, "the plan holds")
	case string(v1alpha1.StartDeadlinePassed):
		limit := time.Duration(in.Plan.Spec.Gate.DeadlineSeconds) * time.Second
		over := !s.Since.IsZero() && !in.Now.Before(s.Since.Add(limit))
		return unless(over && in.Plan.Spec.Gate.OnDeadline == v1alpha1.DeadlineRelease, "no deadline that releases has passed")
	case string(v1alpha1.StartBackupCompleted):
		return whyNotByBackup(in, d, s)
	default:
		return "that is no reason"
	}
}

func unless(ok bool, wrong string) string {
	if ok {
		return ""
	}
	return wrong
}

func whyNotByBackup(in *facts.Input, d *plan.Decision, s *plan.Start) string {
	b := in.Backups[s.Backup]
	switch {
	case b == nil:
		return "there is no backup " + s.Backup
	case b.Status.Phase != velerov1.BackupPhaseCompleted || b.Status.FailureReason != "":
		return fmt.Sprintf("its backup is %s %s", b.Status.Phase, b.Status.FailureReason)
	case b.CreationTimestamp.Time.Before(in.Plan.CreationTimestamp.Time):
		return "its backup is older than the plan"
	case s.Workload.UserPaused:
		return "its user paused it"
	}
	for _, r := range in.Releases {
		status := &r.Status
		if wanted := d.Statuses[r.Name]; wanted != nil {
			status = wanted
		}
		for i := range status.Rollouts {
			ro := &status.Rollouts[i]
			own := ro.Backup != nil && ro.Backup.Name == s.Backup
			if !own && ro.AdmittedTime != nil && !b.CreationTimestamp.Time.After(ro.AdmittedTime.Time) {
				return fmt.Sprintf("rollout %d of %s started after its backup was created", ro.Number, r.Name)
			}
		}
	}
	return ""
}

// forger changes what is recorded, and what Velero says, into anything that the API takes.
type forger struct {
	*rand.Rand
	in *facts.Input
}

func one[T any](f *forger, list ...T) T { return list[f.IntN(len(list))] }

func (f *forger) time() *metav1.Time {
	at := metav1.NewTime(f.in.Now.Add(time.Duration(f.IntN(7200)-7000) * time.Second).Truncate(time.Second))
	return one(f, nil, &at)
}

func (f *forger) hash() string {
	m := &f.in.Members[f.IntN(len(f.in.Members))]
	hashes := []string{"v1-unknown", m.Template.Hash}
	for _, rev := range m.Revisions {
		hashes = append(hashes, rev.Template.Hash)
	}
	return one(f, hashes...)
}

func (f *forger) forge() {
	for i, r := range f.in.Releases {
		r = r.DeepCopy()
		for j := range r.Status.Rollouts {
			f.forgeRollout(&r.Status.Rollouts[j])
		}
		f.in.Releases[i] = r
	}
	for _, name := range sorted(f.in.Backups) {
		b := f.in.Backups[name].DeepCopy()
		if f.IntN(3) > 0 {
			b.Status.Phase = one(f, velerov1.BackupPhaseCompleted, velerov1.BackupPhaseCompleted, velerov1.BackupPhaseFailed, velerov1.BackupPhaseNew, "Strange")
			b.Status.FailureReason = one(f, "", "", "", "lost")
			if f.IntN(3) == 0 {
				b.Status.StartTimestamp, b.Status.CompletionTimestamp = f.time(), f.time()
			}
		}
		f.in.Backups[name] = b
	}
	if f.IntN(8) == 0 {
		f.in.Plan = nil
	}
	if f.in.Plan == nil {
		return
	}
	p := f.in.Plan.DeepCopy()
	for i := range p.Status.Workloads {
		if f.IntN(6) == 0 {
			p.Status.Workloads[i].TemplateHash = f.hash()
		}
	}
	if at := f.time(); f.IntN(6) == 0 && at != nil {
		p.Status.LastStart = &v1alpha1.LastStart{Time: *at, Version: one(f, chaosVersions...), Rollout: int32(f.IntN(3))}
	}
	if f.IntN(8) == 0 {
		p.Spec.Gate.Mode = one(f, v1alpha1.GateModeObserve, v1alpha1.GateModeDisabled)
	}
	f.in.Plan = p
}

func (f *forger) forgeRollout(ro *v1alpha1.Rollout) {
	if f.IntN(8) == 0 {
		ro.Outcome = one(f, "", v1alpha1.OutcomeRolledOut, v1alpha1.OutcomeSuperseded)
		ro.AdmittedTime = f.time()
	}
	for _, name := range sorted(f.in.Backups) {
		if f.IntN(8) == 0 {
			ro.Backup = &v1alpha1.RolloutBackup{
				Name: name, Attempt: int32(1 + f.IntN(3)), Version: one(f, chaosVersions...), FailureTime: f.time(),
				Phase: one(f, "", string(velerov1.BackupPhaseCompleted), string(velerov1.BackupPhaseInProgress), "Deleted"),
			}
			break
		}
	}
	for i := range ro.Workloads {
		rec := &ro.Workloads[i]
		if f.IntN(5) == 0 {
			rec.State = one(f, v1alpha1.WorkloadHeld, v1alpha1.WorkloadHeld, v1alpha1.WorkloadAdmitted, v1alpha1.WorkloadRolledOut)
			rec.StartReason = one(f, "", v1alpha1.StartBackupCompleted, v1alpha1.StartNotHeld)
			rec.TemplateHash, rec.AdmittedGeneration = f.hash(), int64(1+f.IntN(9))
		}
		if f.IntN(5) == 0 {
			rec.HeldSince, rec.WaitingSince = f.time(), f.time()
		}
	}
}

// decideWhatever lets a world come to somewhere, forges what the operator would see there, again and again, and checks each
// decision. It counts the starts by their reasons.
func decideWhatever(t *testing.T, seed uint64, started map[string]int) {
	s := shopSim(t, chaosWorkloads...)
	c := newChaos(s)
	f := &forger{Rand: rand.New(rand.NewPCG(seed, 2))}
	for range 3 + f.IntN(20) {
		c.act(byte(f.UintN(256)), byte(f.UintN(256)))
	}
	c.gateUp, c.op.down = true, false
	c.world.velero.duration = time.Hour
	c.editPlan(shop, gen.Mode(v1alpha1.GateModeHold), gen.Deadline(60, one(f, v1alpha1.DeadlineHold, v1alpha1.DeadlineRelease)))
	c.pass(5 * time.Second)
	for range 2 { // the second may take the first back
		c.pass(time.Duration(f.IntN(5)) * time.Second)
		for _, name := range chaosWorkloads {
			c.set(name, one(f, chaosVersions...))
		}
	}
	if t.Failed() {
		return // of that the worlds of chaos tell
	}
	for range 40 {
		in := s.op.observe(s.op.caches(), shop)
		if f.in = &in; len(in.Members) == 0 {
			return
		}
		f.forge()
		d := plan.Decide(in, s.op.finding(in))
		if err := checkDecision(&in, &d); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for i := range d.Starts {
			started[d.Starts[i].Reason]++
		}
	}
}

// TestPromise1_NoInputWhateverReleasesWhatNothingAllows forges the input of decisions: records that no operator wrote, and a
// Velero that says anything.
func TestPromise1_NoInputWhateverReleasesWhatNothingAllows(t *testing.T) {
	started := map[string]int{}
	for seed := range *seeds {
		decideWhatever(t, *firstSeed+seed, started)
	}
	for _, reason := range []string{
		string(v1alpha1.StartBackupCompleted), string(v1alpha1.StartDeadlinePassed), string(v1alpha1.StartModeChanged),
		plan.StartReverted, plan.StartPlanDeleted,
	} {
		if started[reason] < 5 {
			t.Errorf("of %v too few were for %s: the test says little of it", started, reason)
		}
	}
	t.Log(started)
}

func FuzzDecide(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { decideWhatever(t, seed, map[string]int{}) })
}
