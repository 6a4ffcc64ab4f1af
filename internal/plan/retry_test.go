// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/status"
	"github.com/backstay-dr/backstay/test/gen"
)

// retryNow is what `kubectl annotate` does to ask for another attempt.
func retryNow(value string) gen.Option {
	return gen.Annotation(v1alpha1.AnnotationRetryRequestedAt, value)
}

// fails lets the next backups fail.
func (s *sim) fails(n int) {
	s.velero.endings = slices.Repeat([]velerov1.BackupPhase{velerov1.BackupPhaseFailed}, n)
}

// attemptTimes are when the backups were created, in their order.
func (s *sim) attemptTimes() []time.Time {
	var out []time.Time
	for _, b := range s.backups {
		out = append(out, b.CreationTimestamp.Time)
	}
	slices.SortFunc(out, time.Time.Compare)
	return out
}

// Three failures within a minute once ended it for good, though storage was healthy a minute later.
func TestBackupIsRetriedForAsLongAsSomethingWaits(t *testing.T) {
	s := shopSim(t, "web")
	s.fails(7)
	s.set("web", "1.5.0")
	s.pass(3 * time.Minute)
	s.mustHold("web")
	mustBe(t, s.releaseCondition("shop-1.5.0", v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonBackupFailed,
		"the backup keeps failing, in attempt", "fix the cause", "the next attempt follows at 2026-03-01T09:",
		`kubectl -n ns annotate --overwrite apprelease shop-1.5.0 dr.backstay.dev/retryRequestedAt="$(date +%s)"`)
	mustBe(t, s.releaseCondition("shop-1.5.0", v1alpha1.ConditionStalled), metav1.ConditionTrue, v1alpha1.ReasonBackupFailed)
	mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonBackupFailed, "keeps failing")
	s.pass(30 * time.Minute)
	s.mustRun("web", "1.5.0")
	mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionTrue, v1alpha1.ReasonReconciled)
}

func TestPausesBetweenAttemptsGrowUpToTheirBound(t *testing.T) {
	s := shopSim(t, "web")
	s.fails(100)
	s.editPlan(shop, gen.Deadline(604800, v1alpha1.DeadlineHold))
	s.set("web", "1.5.0")
	s.pass(3 * time.Hour)
	const taken = 4 * time.Second // from the creation of a backup to its end
	want := []time.Duration{10, 20, 40, 80, 160, 320, 640, 900, 900, 900, 900}
	got := s.attemptTimes()
	for i, pause := range want {
		if between := got[i+1].Sub(got[i]) - taken; between != pause*time.Second {
			t.Errorf("the pause after failure %d is %s, want %s", i+1, between, pause*time.Second)
		}
	}
}

func TestAttemptFollowsAtOnceWhenTheStorageLocationReturns(t *testing.T) {
	s := shopSim(t, "web")
	s.fails(5)
	s.set("web", "1.5.0")
	s.pass(3 * time.Minute)
	s.setLocation(velerov1.BackupStorageLocationPhaseUnavailable)
	s.pass(10 * time.Second)
	mustBe(t, s.releaseCondition("shop-1.5.0", v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonStorageLocationUnavailable)
	before := len(s.backups)
	s.setLocation(velerov1.BackupStorageLocationPhaseAvailable)
	s.settle()
	s.mustHaveBackups(before + 1)
	s.pass(aWhile)
	s.mustRun("web", "1.5.0")
}

func TestAttemptFollowsAtOnceOnRequestAndOnceForEach(t *testing.T) {
	long := strings.Repeat("é", 100)
	s := shopSim(t, "web")
	s.fails(6)
	s.set("web", "1.5.0")
	s.pass(95 * time.Second)
	for _, request := range []string{"2026-03-01", "2026-03-02", long} {
		before := len(s.backups)
		s.editRelease("shop-1.5.0", retryNow(request))
		s.settle()
		s.mustHaveBackups(before + 1)
		s.pass(aWhile) // it fails, and the pause stands again
		s.mustHaveBackups(before + 1)
	}
	if got := s.releases["shop-1.5.0"].Status.LastHandledRetryAt; got != long[:2*64] {
		t.Errorf("lastHandledRetryAt is %q", got)
	}
}

// A call stands while another attempt is under way, and is made once.
func TestPersonIsCalledOnce(t *testing.T) {
	s := shopSim(t, "web")
	s.editPlan(shop, gen.BackupAttempts(2))
	s.fails(5)
	s.set("web", "1.5.0")
	var told []string
	old := &v1alpha1.AppReleaseStatus{}
	for range 900 {
		s.pass(time.Second)
		r := s.releases["shop-1.5.0"]
		for _, e := range status.Transitions(r, old, &r.Status) {
			if e.Reason == "BackupStalled" {
				told = append(told, describeEvent(e))
			}
		}
		old = &r.Status
	}
	if !slices.Equal(told, []string{"!BackupStalled+plan"}) {
		t.Errorf("told: %v", told)
	}
	s.mustRun("web", "1.5.0")
}

// Velero's text names the storage, its address and the locations of others: tenants are told phases and counts.
func TestTextOfVeleroDoesNotReachTenants(t *testing.T) {
	const secret = "https://s3.internal:9000/other-team"
	for _, phase := range []velerov1.BackupPhase{
		velerov1.BackupPhaseFailed, velerov1.BackupPhasePartiallyFailed, velerov1.BackupPhaseFailedValidation, velerov1.BackupPhaseCompleted,
	} {
		t.Run(string(phase), func(t *testing.T) {
			s := shopSim(t, "web")
			s.velero.endings, s.velero.reason = slices.Repeat([]velerov1.BackupPhase{phase}, 5), "put to "+secret
			s.set("web", "1.5.0")
			for range 60 {
				s.pass(2 * time.Second)
				told := fmt.Sprintf("%+v %+v", s.releases["shop-1.5.0"].Status, s.plans[shop].Status)
				for _, e := range status.Transitions(s.releases["shop-1.5.0"], &v1alpha1.AppReleaseStatus{}, &s.releases["shop-1.5.0"].Status) {
					told += e.Note
				}
				if strings.Contains(told, "s3.internal") {
					t.Fatalf("tenants are told %s", told)
				}
			}
			mustBe(t, s.releaseCondition("shop-1.5.0", v1alpha1.ConditionReady), metav1.ConditionFalse, v1alpha1.ReasonBackupFailed)
		})
	}
}
