// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Walk is the road of a Backup that goes well, as Velero walks it.
var Walk = []velerov1.BackupPhase{
	velerov1.BackupPhaseNew, velerov1.BackupPhaseQueued, velerov1.BackupPhaseReadyToStart,
	velerov1.BackupPhaseInProgress, velerov1.BackupPhaseFinalizing, velerov1.BackupPhaseCompleted,
}

// Complete walks a Backup to its good end.
func (s *Stage) Complete(ctx context.Context, name string) error {
	for _, phase := range Walk {
		if err := s.Pass(ctx, name, phase, nil); err != nil {
			return err
		}
	}
	return nil
}

// Pass brings a Backup into a phase as Velero does: by a plain patch, with a start time once it is InProgress and a
// completion time at its end. More fields of the status may be given.
func (s *Stage) Pass(ctx context.Context, name string, phase velerov1.BackupPhase, more map[string]any) error {
	status := map[string]any{"phase": phase}
	now := time.Now().UTC().Format(time.RFC3339)
	switch phase {
	case velerov1.BackupPhaseInProgress:
		status["startTimestamp"] = now
	case velerov1.BackupPhaseCompleted, velerov1.BackupPhasePartiallyFailed, velerov1.BackupPhaseFailed:
		status["completionTimestamp"] = now
	}
	for key, value := range more {
		status[key] = value
	}
	b := &velerov1.Backup{}
	b.Namespace, b.Name = VeleroNamespace, name
	return s.PatchStatus(ctx, b, status)
}

// ValidateLocation writes what Velero writes once a minute about a storage location that is as it was: when it was
// validated, and when its Backups were synchronized.
func (s *Stage) ValidateLocation(ctx context.Context, name string) error {
	now := time.Now().UTC().Format(time.RFC3339)
	for _, status := range []map[string]any{
		{"phase": velerov1.BackupStorageLocationPhaseAvailable, "lastValidationTime": now}, {"lastSyncedTime": now},
	} {
		location := &velerov1.BackupStorageLocation{}
		location.Namespace, location.Name = VeleroNamespace, name
		if err := s.PatchStatus(ctx, location, status); err != nil {
			return err
		}
	}
	return nil
}

// PatchStatus patches the status of an object that has no status subresource.
func (s *Stage) PatchStatus(ctx context.Context, obj client.Object, status any) error {
	raw, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		return err
	}
	if err := s.Live.Patch(ctx, obj, client.RawPatch(types.MergePatchType, raw)); err != nil {
		return fmt.Errorf("patch the status of %s: %w", obj.GetName(), err)
	}
	return nil
}
