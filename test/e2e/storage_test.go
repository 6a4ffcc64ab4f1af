// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/cluster/devcluster"
)

const defaultLocation = "default"

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

// A backup that the storage failed under is tried again; the rollout starts after the one that was Completed.
func TestFailedBackupIsTriedAgain(t *testing.T) {
	a := newApp(t, shared, "web")
	a.awaitLocation(velerov1.BackupStorageLocationPhaseAvailable)
	a.validateLocation("1h") // Velero will not notice the outage before it takes the backup.
	t.Cleanup(func() { a.validateLocation("5s") })
	before := a.look("web")
	a.stopProgram(t, devcluster.ObjectStorage)
	a.setImage("web", "1.5.0")
	a.await("the first attempt failed", func() error {
		return a.releaseSays("1.5.0", v1alpha1.ConditionReady, v1alpha1.ReasonBackupRetrying)
	})

	a.restart(t, devcluster.ObjectStorage)
	a.awaitStarted(before)
	rollout := a.awaitOutcome("1.5.0", v1alpha1.OutcomeRolledOut)
	if rollout.Backup.Attempt != 2 || len(a.newBackups(before)) != 2 {
		t.Errorf("released by attempt %d of %d backups, want 2 of 2", rollout.Backup.Attempt, len(a.newBackups(before)))
	}
	a.after(a.startsOf(a.namespace, "web")[before.starts["web"]], new(a.backup(rollout.Backup.Name)))
}

// validateLocation has Velero look at its storage location at intervals.
func (a *app) validateLocation(every string) {
	a.t.Helper()
	location := &velerov1.BackupStorageLocation{}
	location.Namespace, location.Name = devcluster.VeleroNamespace, defaultLocation
	patch := fmt.Appendf(nil, `{"spec":{"validationFrequency":%q}}`, every)
	if err := a.admin.Patch(context.Background(), location, client.RawPatch(types.MergePatchType, patch)); err != nil {
		a.t.Error(err)
	}
}

// awaitLocation waits until Velero has found out how its storage location is.
func (a *app) awaitLocation(phase velerov1.BackupStorageLocationPhase) {
	a.t.Helper()
	a.await("the storage location is "+string(phase), func() error {
		location := &velerov1.BackupStorageLocation{}
		key := client.ObjectKey{Namespace: devcluster.VeleroNamespace, Name: defaultLocation}
		if err := a.watched.Get(a.t.Context(), key, location); err != nil {
			return err
		}
		if location.Status.Phase != phase {
			return fmt.Errorf("it is %s", location.Status.Phase)
		}
		return nil
	})
}
