// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package velero

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// NewBackup builds the Backup of a rollout, in the form that Velero's namespace still has to be set. What it contains
// is derived and never passed through: the plan's own namespace, and nothing else. captured is the version that the
// backup captures, "" where it protects none.
func NewBackup(plan *v1alpha1.DRPlan, id BackupID, captured string) *velerov1.Backup {
	b := &velerov1.Backup{}
	b.Name = id.Name()
	b.Labels = map[string]string{
		v1alpha1.LabelCluster: id.Cluster, v1alpha1.LabelNamespace: plan.Namespace, v1alpha1.LabelPlan: plan.Name,
	}
	b.Labels[v1alpha1.LabelRelease] = LabelValue(id.Version)
	b.Labels[v1alpha1.LabelRollout] = strconv.Itoa(int(id.Rollout))
	b.Annotations = map[string]string{v1alpha1.AnnotationReleaseVersion: id.Version}
	if captured == "" {
		b.Labels[v1alpha1.LabelMixed] = "true"
	} else {
		b.Labels[v1alpha1.LabelVersion] = LabelValue(captured)
		b.Annotations[v1alpha1.AnnotationVersion] = captured
	}
	if n := plan.Spec.Backup.MinHooks; n > 0 {
		b.Annotations[v1alpha1.AnnotationMinHooks] = strconv.Itoa(int(n))
	}
	b.Spec.IncludedNamespaces = []string{plan.Namespace}
	b.Spec.StorageLocation = plan.Spec.Backup.StorageLocation
	b.Spec.TTL = metav1.Duration{Duration: time.Duration(plan.Spec.Backup.RetentionSeconds) * time.Second}
	setVolumes(&b.Spec, plan.Spec.Backup.Volumes)
	return b
}

// setVolumes leaves to Velero's server what the plan does not decide.
func setVolumes(spec *velerov1.BackupSpec, policy v1alpha1.VolumePolicy) {
	yes, no := true, false
	switch policy {
	case v1alpha1.VolumesSnapshot:
		spec.SnapshotVolumes, spec.DefaultVolumesToFsBackup = &yes, &no
	case v1alpha1.VolumesFileSystem:
		spec.SnapshotVolumes, spec.DefaultVolumesToFsBackup = &no, &yes
	case v1alpha1.VolumesNone:
		spec.SnapshotVolumes, spec.DefaultVolumesToFsBackup = &no, &no
	}
}

// State is what a Backup's phase means to whoever waits for it.
type State int

const (
	// Waiting: it may still become Completed.
	Waiting State = iota
	// Completed: it protects.
	Completed
	// Failed: it never will.
	Failed
)

// FailureText is what Velero says about a Backup that failed, verbatim: it may name the storage, its address and other
// locations, and is for whoever administers Velero.
func FailureText(b *velerov1.Backup) string {
	parts := slices.Clone(b.Status.ValidationErrors)
	if b.Status.FailureReason != "" {
		parts = append(parts, b.Status.FailureReason)
	}
	if counts := FailureCounts(b); counts != "" {
		parts = append(parts, counts)
	}
	return strings.Join(parts, "; ")
}

// FailureCounts is what may be said to anybody about a Backup that failed: how much of it did.
func FailureCounts(b *velerov1.Backup) string {
	var parts []string
	for _, count := range []struct {
		n    int
		what string
	}{{len(b.Status.ValidationErrors), "validation errors"}, {b.Status.Errors, "errors"}, {b.Status.Warnings, "warnings"}} {
		if count.n > 0 {
			parts = append(parts, fmt.Sprintf("%s: %d", count.what, count.n))
		}
	}
	if b.Status.Phase == velerov1.BackupPhaseCompleted && b.Status.FailureReason == "" {
		parts = append(parts, HooksMissing(b))
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ", ")
}

// HooksMissing tells what a Backup lacks whose hooks were required; "" where it lacks nothing.
func HooksMissing(b *velerov1.Backup) string {
	required, err := strconv.Atoi(b.Annotations[v1alpha1.AnnotationMinHooks])
	if err != nil || required <= 0 {
		return ""
	}
	var ran velerov1.HookStatus
	if b.Status.HookStatus != nil {
		ran = *b.Status.HookStatus
	}
	if ran.HooksFailed == 0 && ran.HooksAttempted >= required {
		return ""
	}
	return fmt.Sprintf("%d hooks ran and %d of them failed, where the plan requires %d (spec.backup.minHooks)",
		ran.HooksAttempted, ran.HooksFailed, required)
}

// StateOf tells what the status of a Backup means. Only Completed protects, without a failure reason and with its hooks. A phase that this
// version does not know is waited for, under the plan's deadline.
func StateOf(b *velerov1.Backup) State {
	if _, failed := b.Annotations[v1alpha1.AnnotationFailed]; failed {
		return Failed
	}
	switch b.Status.Phase {
	case velerov1.BackupPhaseCompleted:
		if b.Status.FailureReason != "" || HooksMissing(b) != "" {
			return Failed
		}
		return Completed
	case velerov1.BackupPhasePartiallyFailed, velerov1.BackupPhaseFailed,
		velerov1.BackupPhaseFailedValidation, velerov1.BackupPhaseDeleting:
		return Failed
	default:
		return Waiting
	}
}

// PickedUp reports whether Velero has begun to work on a Backup.
func PickedUp(b *velerov1.Backup) bool {
	return b.Status.Phase != "" && b.Status.Phase != velerov1.BackupPhaseNew
}

// MixedPatch is the JSON merge patch by which a Backup takes back that it captured a version.
func MixedPatch() []byte {
	return fmt.Appendf(nil, `{"metadata":{"labels":{%q:null,%q:"true"},"annotations":{%q:null}}}`,
		v1alpha1.LabelVersion, v1alpha1.LabelMixed, v1alpha1.AnnotationVersion)
}

// FailPatch is the JSON merge patch by which a Backup says itself that its attempt failed, and at what time that was recorded.
func FailPatch(recorded time.Time) []byte {
	return fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`, v1alpha1.AnnotationFailed, recorded.UTC().Format(time.RFC3339))
}

// TouchPatch is the JSON merge patch that makes Velero look at a Backup again: it writes the time into an annotation.
func TouchPatch(annotation string, now time.Time) []byte {
	return fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`, annotation, now.UTC().Format(time.RFC3339))
}
