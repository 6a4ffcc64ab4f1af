// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/cluster/devcluster"
)

// Where the storage cannot take a backup a rollout is held, without a backup that could only fail, and goes on when the
// storage returns.
func TestPromise5_StorageOutageIsToldAndTheRolloutGoesOnAfterwards(t *testing.T) {
	a := newApp(t, shared, "web")
	a.stopProgram(t, devcluster.ObjectStorage)
	a.awaitLocation(velerov1.BackupStorageLocationPhaseUnavailable)
	before := a.look("web")
	a.setImage("web", "1.5.0")
	a.await("the release tells of the outage", func() error {
		if err := a.releaseSays("1.5.0", v1alpha1.ConditionReady, v1alpha1.ReasonStorageLocationUnavailable); err != nil {
			return err
		}
		if message := readyMessage(a.release("1.5.0")); !strings.Contains(message, "BackupStorageLocation default is Unavailable") {
			return fmt.Errorf("its message is %q", message)
		}
		return nil
	})
	if backups := a.newBackups(before); len(backups) > 0 {
		t.Errorf("backup %s was created, which cannot succeed", backups[0].Name)
	}

	a.restart(t, devcluster.ObjectStorage)
	a.awaitStarted(before)
	a.protected(before)
	a.releasedByBackup("1.5.0")
}

// A backup that fails is tried again; the rollout starts after the one that was Completed. Here a hook fails that the
// pods demand: a pod on a simulated node cannot run it.
func TestFailedBackupIsTriedAgain(t *testing.T) {
	t.Parallel()
	a := newApp(t, shared, "web")
	const command, onError = "pre.hook.backup.velero.io/command", "pre.hook.backup.velero.io/on-error"
	a.dev.run("annotate", "pods", "--all", command+`=["/bin/sync"]`, onError+"=Fail")
	before := a.look("web")
	a.setImage("web", "1.5.0")
	a.await("the first attempt failed", func() error {
		return a.releaseSays("1.5.0", v1alpha1.ConditionReady, v1alpha1.ReasonBackupRetrying)
	})
	if err := a.held(live(a, &appsv1.Deployment{}, "web")); err != nil {
		t.Error(err)
	}

	a.dev.run("annotate", "pods", "--all", command+"-", onError+"-")
	a.awaitStarted(before)
	rollout := a.awaitOutcome("1.5.0", v1alpha1.OutcomeRolledOut)
	if rollout.Backup.Attempt != 2 || len(a.newBackups(before)) != 2 {
		t.Errorf("released by attempt %d of %d backups, want 2 of 2", rollout.Backup.Attempt, len(a.newBackups(before)))
	}
	a.after(a.startsOf(a.namespace, "web")[before.starts["web"]], new(a.backup(rollout.Backup.Name)))
}

// Velero that is killed in the middle of a backup leaves one that is never Completed. It says so when it returns; the next
// attempt lets the rollout go. The storage is frozen, so that the middle is no matter of luck.
func TestPromise1_BackupThatVeleroWasKilledInLetsNothingStart(t *testing.T) {
	a := newApp(t, shared, "web")
	thaw := a.freeze(t, devcluster.ObjectStorage)
	before := a.look("web")
	a.setImage("web", "1.5.0")
	a.await("the backup is in progress", func() error {
		backups := a.newBackups(before)
		if len(backups) != 1 || backups[0].Status.Phase != velerov1.BackupPhaseInProgress {
			return fmt.Errorf("the backups are %v", phases(backups))
		}
		return nil
	})
	a.killProgram(t, devcluster.Velero)
	thaw()
	if err := a.held(live(a, &appsv1.Deployment{}, "web")); err != nil {
		t.Error(err)
	}

	a.restart(t, devcluster.Velero)
	a.awaitStarted(before)
	rollout := a.awaitOutcome("1.5.0", v1alpha1.OutcomeRolledOut)
	if got := phases(a.newBackups(before)); got != "Failed Completed" || rollout.Backup.Attempt != 2 {
		t.Errorf("released by attempt %d of the backups %s, want 2 of Failed Completed", rollout.Backup.Attempt, got)
	}
	a.after(a.startsOf(a.namespace, "web")[before.starts["web"]], new(a.backup(rollout.Backup.Name)))
}

// phases of backups, in the order of their creation.
func phases(backups []velerov1.Backup) string {
	slices.SortFunc(backups, func(a, b velerov1.Backup) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) })
	var out []string
	for i := range backups {
		out = append(out, string(backups[i].Status.Phase))
	}
	return strings.Join(out, " ")
}

// awaitLocation waits until Velero has found out how its storage location is.
func (a *app) awaitLocation(phase velerov1.BackupStorageLocationPhase) {
	a.t.Helper()
	a.await("the storage location is "+string(phase), func() error {
		location := &velerov1.BackupStorageLocation{}
		key := client.ObjectKey{Namespace: devcluster.VeleroNamespace, Name: "default"}
		if err := a.watched.Get(a.t.Context(), key, location); err != nil {
			return err
		}
		if location.Status.Phase != phase {
			return fmt.Errorf("it is %s", location.Status.Phase)
		}
		return nil
	})
}

// Velero calls a backup Completed in which none of the hooks ran that the plan requires. It lets nothing start.
func TestBackupWithoutTheRequiredHooksLetsNothingStart(t *testing.T) {
	t.Parallel()
	a := newApp(t, shared, "web")
	a.root.run("patch", "drplan", planName, "--type", "merge", "--patch", `{"spec":{"backup":{"minHooks":1},"gate":{"backupAttempts":1}}}`)
	before := a.look("web")
	a.setImage("web", "1.5.0")
	a.await("the release tells of it", func() error { return a.releaseSays("1.5.0", v1alpha1.ConditionReady, v1alpha1.ReasonBackupFailed) })
	if said := a.root.run("get", "appreleases", "-o", "wide"); !strings.Contains(said, "0 hooks ran and 0 of them failed, where the plan requires 1") {
		t.Errorf("it does not say why:\n%s", said)
	}
	if phase := a.newBackups(before)[0].Status.Phase; phase != velerov1.BackupPhaseCompleted {
		t.Errorf("Velero calls it %s: the test expects a backup that is Completed", phase)
	}
	if err := a.held(live(a, &appsv1.Deployment{}, "web")); err != nil {
		t.Error(err)
	}
	a.root.run("patch", "drplan", planName, "--type", "merge", "--patch", `{"spec":{"backup":{"minHooks":null},"gate":{"backupAttempts":2}}}`)
	a.awaitStarted(before)
	if rollout := a.awaitOutcome("1.5.0", v1alpha1.OutcomeRolledOut); rollout.Backup.Attempt != 2 || rollout.Workloads[0].StartReason != v1alpha1.StartBackupCompleted {
		t.Errorf("it started by attempt %d, because of %s", rollout.Backup.Attempt, rollout.Workloads[0].StartReason)
	}
}
