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
	"github.com/backstay-dr/backstay/internal/status"
	"github.com/backstay-dr/backstay/test/gen"
)

// What is told at each step of a rollout, once: on the release, where a workload is named on that, and with "+plan" on the
// plan too.
func TestTransitions(t *testing.T) {
	now := metav1.Now()
	recorded := func(ro v1alpha1.Rollout, workloads ...v1alpha1.RolloutWorkload) *v1alpha1.AppReleaseStatus {
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
		"nothing":        {recorded(none, held), recorded(none, held), nil},
		"held":           {recorded(none), recorded(none, held), []string{"Held+plan", "Held on web+plan"}},
		"one more held":  {recorded(none, held), recorded(none, api, held), []string{"Held on api+plan"}},
		"two held":       {recorded(none), recorded(none, api, held), []string{"Held+plan", "Held on api+plan", "Held on web+plan"}},
		"backup created": {recorded(none, held), recorded(backup("", nil), held), []string{"BackupCreated"}},
		"a phase on the way is no news": {
			recorded(backup("", nil), held), recorded(backup(velerov1.BackupPhaseInProgress, nil), held), nil,
		},
		"backup Completed": {
			recorded(backup(velerov1.BackupPhaseInProgress, nil), held), recorded(backup(velerov1.BackupPhaseCompleted, nil), held), []string{"BackupCompleted"},
		},
		"backup failed": {
			recorded(backup(velerov1.BackupPhaseInProgress, nil), held), recorded(backup(velerov1.BackupPhaseFailed, &now), held), []string{"!BackupFailed+plan"},
		},
		"released is told on the workload, when it is": {recorded(none, held), recorded(none, released), nil},
		"overridden": {recorded(none, held), recorded(none, overridden), []string{"!Overridden+plan", "!Overridden on web+plan"}},
		"escaped": {
			recorded(none), recorded(v1alpha1.Rollout{Cause: v1alpha1.CauseEscaped}, web(v1alpha1.WorkloadAdmitted, v1alpha1.StartNotHeld)),
			[]string{"!Escaped+plan", "!Escaped on web+plan"},
		},
		"observed": {
			recorded(none), recorded(v1alpha1.Rollout{Cause: v1alpha1.CauseObserved}, web(v1alpha1.WorkloadAdmitted, v1alpha1.StartNotHeld)),
			[]string{"Observed", "Observed on web"},
		},
		"failed":                       {recorded(none, rollingOut), recorded(none, failed), []string{"!RolloutFailed+plan", "!RolloutFailed on web+plan"}},
		"failed before":                {recorded(none, failed), recorded(none, failed), nil},
		"one more fails":               {recorded(none, failed), recorded(none, failedToo, failed), []string{"!RolloutFailed on api+plan"}},
		"goes on again":                {recorded(none, failed), recorded(none, rollingOut), nil},
		"its deadline passed":          {recorded(none, held), recorded(none, late), []string{"!DeadlinePassed+plan", "!DeadlinePassed on web+plan"}},
		"its deadline passed long ago": {recorded(none, late), recorded(none, late), nil},
		"admitted after its deadline":  {recorded(none, late), recorded(none, released), nil},
		"rolled out":                   {recorded(none, released), recorded(v1alpha1.Rollout{Outcome: v1alpha1.OutcomeRolledOut}, released), []string{"RolledOut"}},
		"superseded":                   {recorded(none, held), recorded(v1alpha1.Rollout{Outcome: v1alpha1.OutcomeSuperseded}, held), []string{"Superseded"}},
		"reverted":                     {recorded(none, held), recorded(v1alpha1.Rollout{Outcome: v1alpha1.OutcomeReverted}, held), []string{"Reverted"}},
		"abandoned":                    {recorded(none, held), recorded(v1alpha1.Rollout{Outcome: v1alpha1.OutcomeAbandoned}, held), []string{"Abandoned"}},
		"everything at once": {
			recorded(none), recorded(func() v1alpha1.Rollout {
				ro := backup(velerov1.BackupPhaseCompleted, nil)
				ro.Outcome = v1alpha1.OutcomeRolledOut
				return ro
			}(), released),
			[]string{"BackupCreated", "BackupCompleted", "RolledOut"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, e := range status.Transitions(gen.Release("shop", "1.5.0"), tc.from, tc.to) {
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

func describeEvent(e status.Event) string {
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
