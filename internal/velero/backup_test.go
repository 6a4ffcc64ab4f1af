// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package velero

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/gen"
)

var id = BackupID{Cluster: "c", Namespace: "ns", Plan: "shop", Version: "1.5.0", Rollout: 2, Attempt: 1}

func TestNewBackup(t *testing.T) {
	plan := gen.Plan("shop", gen.StorageLocation("vault"))
	want := &velerov1.Backup{
		ObjectMeta: metav1.ObjectMeta{
			Name: id.Name(),
			Labels: map[string]string{
				v1alpha1.LabelCluster:       "c",
				"dr.backstay.dev/namespace": "ns", "dr.backstay.dev/plan": "shop", "dr.backstay.dev/release": "1.5.0",
				"dr.backstay.dev/rollout": "2", "dr.backstay.dev/version": "1.4.2",
			},
			Annotations: map[string]string{"dr.backstay.dev/release-version": "1.5.0", "dr.backstay.dev/version": "1.4.2"},
		},
		Spec: velerov1.BackupSpec{
			IncludedNamespaces: []string{"ns"}, StorageLocation: "vault", TTL: metav1.Duration{Duration: 30 * 24 * time.Hour},
		},
	}
	if diff := cmp.Diff(want, NewBackup(plan, id, "1.4.2")); diff != "" {
		t.Errorf("NewBackup (-want +got):\n%s", diff)
	}

	mixed := NewBackup(plan, id, "")
	if mixed.Labels[v1alpha1.LabelMixed] != "true" || mixed.Labels[v1alpha1.LabelVersion] != "" || mixed.Annotations[v1alpha1.AnnotationVersion] != "" {
		t.Errorf("a backup that captured no single version says %v %v", mixed.Labels, mixed.Annotations)
	}
}

// A plan decides how volumes are captured, and nothing else of what a backup contains.
func TestVolumes(t *testing.T) {
	yes, no := true, false
	for policy, want := range map[v1alpha1.VolumePolicy][2]*bool{
		v1alpha1.VolumesAuto: {nil, nil}, v1alpha1.VolumesSnapshot: {&yes, &no},
		v1alpha1.VolumesFileSystem: {&no, &yes}, v1alpha1.VolumesNone: {&no, &no},
	} {
		b := NewBackup(gen.Plan("shop", gen.Volumes(policy)), id, "1.4.2")
		if diff := cmp.Diff(want, [2]*bool{b.Spec.SnapshotVolumes, b.Spec.DefaultVolumesToFsBackup}); diff != "" {
			t.Errorf("volumes: %s (-want +got):\n%s", policy, diff)
		}
	}
}

func TestStateOf(t *testing.T) {
	for phase, want := range map[velerov1.BackupPhase]State{
		"":                               Waiting,
		velerov1.BackupPhaseNew:          Waiting,
		velerov1.BackupPhaseQueued:       Waiting,
		velerov1.BackupPhaseReadyToStart: Waiting,
		velerov1.BackupPhaseInProgress:   Waiting,
		velerov1.BackupPhaseWaitingForPluginOperations:                Waiting,
		velerov1.BackupPhaseWaitingForPluginOperationsPartiallyFailed: Waiting,
		velerov1.BackupPhaseFinalizing:                                Waiting,
		velerov1.BackupPhaseFinalizingPartiallyFailed:                 Waiting,
		"SomethingNew":                       Waiting,
		velerov1.BackupPhaseCompleted:        Completed,
		velerov1.BackupPhasePartiallyFailed:  Failed,
		velerov1.BackupPhaseFailed:           Failed,
		velerov1.BackupPhaseFailedValidation: Failed,
		velerov1.BackupPhaseDeleting:         Failed,
	} {
		if got := StateOf(gen.Backup("b", gen.Phase(phase))); got != want {
			t.Errorf("StateOf(%q) = %d, want %d", phase, got, want)
		}
	}
	if got := StateOf(gen.Backup("b", gen.Phase(velerov1.BackupPhaseCompleted), gen.FailureReason("lost"))); got != Failed {
		t.Errorf("StateOf(Completed with a failure reason) = %d, want Failed", got)
	}
}

// A backup whose hooks did not run has captured the data of an application that was not told: Velero calls it Completed.
func TestStateOfABackupThatRequiresHooks(t *testing.T) {
	plan := gen.Plan("shop")
	plan.Spec.Backup.MinHooks = 2
	for name, tc := range map[string]struct {
		status *velerov1.HookStatus
		want   State
	}{
		"none ran":       {nil, Failed},
		"not enough ran": {&velerov1.HookStatus{HooksAttempted: 1}, Failed},
		"all ran":        {&velerov1.HookStatus{HooksAttempted: 2}, Completed},
		"more ran":       {&velerov1.HookStatus{HooksAttempted: 5}, Completed},
		"one failed":     {&velerov1.HookStatus{HooksAttempted: 3, HooksFailed: 1}, Failed},
	} {
		b := NewBackup(plan, id, "1.4.2")
		b.Status.Phase, b.Status.HookStatus = velerov1.BackupPhaseCompleted, tc.status
		if got := StateOf(b); got != tc.want || (got == Failed) != (HooksMissing(b) != "") {
			t.Errorf("%s: StateOf() = %d, want %d; %q", name, got, tc.want, HooksMissing(b))
		}
	}
	unasked := NewBackup(gen.Plan("shop"), id, "1.4.2")
	unasked.Status.Phase = velerov1.BackupPhaseCompleted
	if StateOf(unasked) != Completed {
		t.Error("no hook was required")
	}
}

func TestPickedUp(t *testing.T) {
	for phase, want := range map[velerov1.BackupPhase]bool{"": false, velerov1.BackupPhaseNew: false, velerov1.BackupPhaseQueued: true} {
		if got := PickedUp(gen.Backup("b", gen.Phase(phase))); got != want {
			t.Errorf("PickedUp(%q) = %t, want %t", phase, got, want)
		}
	}
}

func TestBackupPatches(t *testing.T) {
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.FixedZone("CET", 3600))
	for name, tc := range map[string]struct {
		patch []byte
		want  map[string]any
	}{
		"mixed": {MixedPatch(), map[string]any{"metadata": map[string]any{
			"labels":      map[string]any{"dr.backstay.dev/version": nil, "dr.backstay.dev/mixed": "true"},
			"annotations": map[string]any{"dr.backstay.dev/version": nil},
		}}},
		"touch": {TouchPatch("dr.backstay.dev/touched", at), map[string]any{"metadata": map[string]any{
			"annotations": map[string]any{"dr.backstay.dev/touched": "2026-03-01T09:00:00Z"},
		}}},
	} {
		var got map[string]any
		if err := json.Unmarshal(tc.patch, &got); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s patch (-want +got):\n%s", name, diff)
		}
	}
}

// What Velero says goes to its administrators whole, and to everybody as counts.
func TestFailureIsToldInFullToAdministratorsAndInNumbersToOthers(t *testing.T) {
	hooks := gen.Annotation(v1alpha1.AnnotationMinHooks, "2")
	for name, tc := range map[string]struct {
		status       velerov1.BackupStatus
		text, counts string
	}{
		"nothing said":     {velerov1.BackupStatus{Phase: velerov1.BackupPhaseFailed}, "", ""},
		"a reason":         {velerov1.BackupStatus{Phase: velerov1.BackupPhaseFailed, FailureReason: "s3 is away"}, "s3 is away", ""},
		"errors, warnings": {velerov1.BackupStatus{Phase: velerov1.BackupPhasePartiallyFailed, Errors: 2, Warnings: 1}, "errors: 2, warnings: 1", "errors: 2, warnings: 1"},
		"refused": {
			velerov1.BackupStatus{Phase: velerov1.BackupPhaseFailedValidation, ValidationErrors: []string{"no location acme", "bad name"}},
			"no location acme; bad name; validation errors: 2", "validation errors: 2",
		},
		"without its hooks": {
			velerov1.BackupStatus{Phase: velerov1.BackupPhaseCompleted},
			"0 hooks ran and 0 of them failed, where the plan requires 2 (spec.backup.minHooks)",
			"0 hooks ran and 0 of them failed, where the plan requires 2 (spec.backup.minHooks)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := gen.Backup("b", hooks)
			b.Status = tc.status
			if got := FailureText(b); got != tc.text {
				t.Errorf("text %q, want %q", got, tc.text)
			}
			if got := FailureCounts(b); got != tc.counts {
				t.Errorf("counts %q, want %q", got, tc.counts)
			}
		})
	}
}
