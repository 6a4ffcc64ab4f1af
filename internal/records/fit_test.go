// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package records

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// limit is what no status exceeds: a sixth of what etcd takes.
const limit = 256 << 10

// worst is a status in which everything is as long as its schema allows, with so many rollouts of so many workloads.
func worst(rollouts, workloads int, outcome v1alpha1.RolloutOutcome) *v1alpha1.AppReleaseStatus {
	now := metav1.NewTime(time.Unix(1e9, 0))
	s := &v1alpha1.AppReleaseStatus{LastHandledRetryAt: strings.Repeat("é", 64)}
	for i := range 5 {
		s.Conditions = append(s.Conditions, metav1.Condition{
			Type: fmt.Sprint("Condition", i), Status: metav1.ConditionUnknown, Reason: strings.Repeat("R", 64), Message: strings.Repeat("é", 1024),
			LastTransitionTime: now, ObservedGeneration: 1 << 40,
		})
	}
	for n := range rollouts {
		ro := v1alpha1.Rollout{
			Number: int32(1<<30 - n), Cause: v1alpha1.CauseObserved, PreviousVersion: strings.Repeat("v", 512), OpenedTime: now, AdmittedTime: &now,
			CompletionTime: &now, Outcome: outcome,
			Backup: &v1alpha1.RolloutBackup{Name: strings.Repeat("b", 63), Version: strings.Repeat("v", 128), Phase: strings.Repeat("p", 64), StartTime: &now},
		}
		for i := range workloads {
			ro.Workloads = append(ro.Workloads, v1alpha1.RolloutWorkload{
				Group: "apps", Kind: v1alpha1.KindDeployment, Name: fmt.Sprintf("%0253d", i), State: v1alpha1.WorkloadSuperseded, UID: strings.Repeat("u", 36),
				HeldSince: &now, WaitingSince: &now, DeadlineTime: &now, FailedTime: &now, TemplateHash: strings.Repeat("h", 64),
				VersionSource: v1alpha1.SourcePodTemplateLabel, PreviousRevision: strings.Repeat("r", 253), PreviousVersion: strings.Repeat("v", 128),
				StartReason: v1alpha1.StartBackupCompleted, AdmittedGeneration: 1 << 40,
				Override: &v1alpha1.Override{User: strings.Repeat("<", 256), Reason: strings.Repeat("<", 256), Time: now},
			})
		}
		s.Rollouts = append(s.Rollouts, ro)
	}
	return s
}

// A status could once reach 1.8 MB, over what etcd takes, and its release was stuck.
func TestStatusOfAReleaseIsBounded(t *testing.T) {
	for name, s := range map[string]*v1alpha1.AppReleaseStatus{
		"as many rollouts of as many workloads as may be": worst(MaxRollouts, v1alpha1.MaxWorkloads, v1alpha1.OutcomeSuperseded),
		"all of them open": worst(MaxRollouts, v1alpha1.MaxWorkloads, ""),
		"one rollout":      worst(1, v1alpha1.MaxWorkloads, ""),
	} {
		t.Run(name, func(t *testing.T) {
			newest := s.Rollouts[0].Number
			Fit(s)
			if n := Size(s); n > limit {
				t.Errorf("%d bytes, of at most %d", n, limit)
			}
			if s.Rollouts[0].Number != newest || len(s.Rollouts[0].Workloads) != v1alpha1.MaxWorkloads {
				t.Errorf("the newest rollout is gone, or some of its workloads: %d of rollout %d", len(s.Rollouts[0].Workloads), s.Rollouts[0].Number)
			}
			before, _ := json.Marshal(s)
			if Fit(s); string(before) != string(must(json.Marshal(s))) {
				t.Error("it changes again")
			}
		})
	}
}

// What surely fits is not measured, and what is not too large is left alone.
func TestStatusThatFitsIsLeftAlone(t *testing.T) {
	s := worst(MaxRollouts, v1alpha1.MaxWorkloads/MaxRollouts, v1alpha1.OutcomeSuperseded)
	for i := range s.Rollouts {
		for j := range s.Rollouts[i].Workloads {
			s.Rollouts[i].Workloads[j].Override = nil
		}
	}
	before := must(json.Marshal(s))
	if Fit(s); string(before) != string(must(json.Marshal(s))) {
		t.Error("it was changed")
	}
	if len(before) > limit {
		t.Errorf("what is not measured has %d bytes, of at most %d", len(before), limit)
	}
}

func must(raw []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return raw
}
