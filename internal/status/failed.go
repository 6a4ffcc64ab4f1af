// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"cmp"
	"fmt"
	"strings"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
)

// verdictFailed names what failed, where the state before it is, and how to go back.
func verdictFailed(f *facts.Facts, ro records.Rollout) verdict {
	return verdict{
		ready: metav1.ConditionFalse, reason: v1alpha1.ReasonRolloutFailed, stalled: true,
		message: fmt.Sprintf("%s: made no progress within spec.progressDeadlineSeconds. %s. Fix it by another rollout, or go back: %s",
			records.NamesWhere(ro.Rollout, records.RolloutFailed), stateBefore(ro.Rollout), backHint(f, ro)),
	}
}

// stateBefore names the backup that holds what ran before a rollout.
func stateBefore(ro *v1alpha1.Rollout) string {
	version := cmp.Or(ro.PreviousVersion, "what ran before")
	if records.PhaseOf(ro) != string(velerov1.BackupPhaseCompleted) || records.BackupFailed(ro) {
		return "No backup holds " + version
	}
	return fmt.Sprintf("Backup %s holds %s", ro.Backup.Name, cmp.Or(ro.Backup.Version, "the state before, in which several versions ran"))
}

// backHint is how to go back to the revision before the first workload that failed.
func backHint(f *facts.Facts, ro records.Rollout) string {
	for i := range ro.Workloads {
		rec := &ro.Workloads[i]
		if !records.RolloutFailed(rec) {
			continue
		}
		if m := f.MemberOf(rec); m != nil && m.Paused {
			break // kubectl does not undo what is paused
		}
		return fmt.Sprintf("kubectl -n %s rollout undo %s/%s", f.Namespace, strings.ToLower(string(rec.Kind)), rec.Name)
	}
	return "apply the version that ran before"
}
