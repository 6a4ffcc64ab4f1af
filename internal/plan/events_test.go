// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"fmt"
	"testing"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/google/go-cmp/cmp"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/plan"
	"github.com/backstay-dr/backstay/test/gen"
)

// What is told at each step of a rollout, once: on the release, where a workload is named on that, and with "+plan" on the
// plan too.
func TestTransitions(t *testing.T) {
	now := metav1.Now()
	status := func(ro v1alpha1.Rollout, workloads ...v1alpha1.RolloutWorkload) *v1alpha1.AppReleaseStatus {
		ro.Number, ro.Workloads = 1, workloads
		return &v1alpha1.AppReleaseStatus{Rollouts: []v1alpha1.Rollout{ro}}
	}
	backup := func(phase velerov1.BackupPhase, failure *metav1.Time) v1alpha1.Rollout {
		return v1alpha1.Rollout{Backup: &v1alpha1.RolloutBackup{Name: "b", Attempt: 1, Phase: string(phase), FailureTime: failure}}
	}
	web := func(state v1alpha1.WorkloadState, why v1alpha1.StartReason) v1alpha1.RolloutWorkload {
		return v1alpha1.RolloutWorkload{Group: v1alpha1.GroupApps, Kind: v1alpha1.KindDeployment, Name: "web", State: state, StartReason: why}
	}
	api := web(v1alpha1.WorkloadHeld, "")
	api.Name = "api"
	held, released := web(v1alpha1.WorkloadHeld, ""), web(v1alpha1.WorkloadAdmitted, v1alpha1.StartBackupCompleted)
	overridden := web(v1alpha1.WorkloadAdmitted, v1alpha1.StartOverridden)
	overridden.Override = &v1alpha1.Override{User: "eva", Reason: "INC-1"}
	rollingOut := web(v1alpha1.WorkloadAdmitted, v1alpha1.StartBackupCompleted)
	failed := rollingOut
	failed.FailedTime = &now
	failedToo := failed
	failedToo.Name = "api"
	late := held
	late.DeadlineTime = &now
	none := v1alpha1.Rollout{}
	for name, tc := range map[string]struct {
		from, to *v1alpha1.AppReleaseStatus
		want     []string
	}{
		"nothing":        {status(none, held), status(none, held), nil},
		"held":           {status(none), status(none, held), []string{"Held+plan", "Held on web+plan"}},
		"one more held":  {status(none, held), status(none, api, held), []string{"Held on api+plan"}},
		"two held":       {status(none), status(none, api, held), []string{"Held+plan", "Held on api+plan", "Held on web+plan"}},
		"backup created": {status(none, held), status(backup("", nil), held), []string{"BackupCreated"}},
		"a phase on the way is no news": {
			status(backup("", nil), held), status(backup(velerov1.BackupPhaseInProgress, nil), held), nil,
		},
		"backup Completed": {
			status(backup(velerov1.BackupPhaseInProgress, nil), held), status(backup(velerov1.BackupPhaseCompleted, nil), held), []string{"BackupCompleted"},
		},
		"backup failed": {
			status(backup(velerov1.BackupPhaseInProgress, nil), held), status(backup(velerov1.BackupPhaseFailed, &now), held), []string{"!BackupFailed+plan"},
		},
		"released is told on the workload, when it is": {status(none, held), status(none, released), nil},
		"overridden": {status(none, held), status(none, overridden), []string{"!Overridden+plan", "!Overridden on web+plan"}},
		"escaped": {
			status(none), status(v1alpha1.Rollout{Cause: v1alpha1.CauseEscaped}, web(v1alpha1.WorkloadAdmitted, v1alpha1.StartNotHeld)),
			[]string{"!Escaped+plan", "!Escaped on web+plan"},
		},
		"observed": {
			status(none), status(v1alpha1.Rollout{Cause: v1alpha1.CauseObserved}, web(v1alpha1.WorkloadAdmitted, v1alpha1.StartNotHeld)),
			[]string{"Observed", "Observed on web"},
		},
		"failed":                       {status(none, rollingOut), status(none, failed), []string{"!RolloutFailed+plan", "!RolloutFailed on web+plan"}},
		"failed before":                {status(none, failed), status(none, failed), nil},
		"one more fails":               {status(none, failed), status(none, failedToo, failed), []string{"!RolloutFailed on api+plan"}},
		"goes on again":                {status(none, failed), status(none, rollingOut), nil},
		"its deadline passed":          {status(none, held), status(none, late), []string{"!DeadlinePassed+plan", "!DeadlinePassed on web+plan"}},
		"its deadline passed long ago": {status(none, late), status(none, late), nil},
		"admitted after its deadline":  {status(none, late), status(none, released), nil},
		"rolled out":                   {status(none, released), status(v1alpha1.Rollout{Outcome: v1alpha1.OutcomeRolledOut}, released), []string{"RolledOut"}},
		"superseded":                   {status(none, held), status(v1alpha1.Rollout{Outcome: v1alpha1.OutcomeSuperseded}, held), []string{"Superseded"}},
		"reverted":                     {status(none, held), status(v1alpha1.Rollout{Outcome: v1alpha1.OutcomeReverted}, held), []string{"Reverted"}},
		"abandoned":                    {status(none, held), status(v1alpha1.Rollout{Outcome: v1alpha1.OutcomeAbandoned}, held), []string{"Abandoned"}},
		"everything at once": {
			status(none), status(func() v1alpha1.Rollout {
				ro := backup(velerov1.BackupPhaseCompleted, nil)
				ro.Outcome = v1alpha1.OutcomeRolledOut
				return ro
			}(), released),
			[]string{"BackupCreated", "BackupCompleted", "RolledOut"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, e := range plan.Transitions(gen.Release("shop", "1.5.0"), tc.from, tc.to) {
				got = append(got, describeEvent(e))
				if e.Note == "" || e.Action == "" {
					t.Errorf("%s says nothing: %+v", e.Reason, e)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func describeEvent(e plan.Event) string {
	text := e.Reason
	if e.Warning {
		text = "!" + text
	}
	if e.Workload.Name != "" {
		text = fmt.Sprintf("%s on %s", text, e.Workload.Name)
	}
	if e.Plan {
		text += "+plan"
	}
	return text
}
