// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/integration/stage"
)

// location is a storage location that admits the shop's namespace, as it is before Velero has looked at it.
func (s *shop) location() *velerov1.BackupStorageLocation {
	l := stage.Location("vault-" + s.namespace)
	l.Labels = map[string]string{v1alpha1.LabelAllowPrefix + s.namespace: "true"}
	return l
}

// Only here: the watch of storage locations passes each change that ends a wait.
func TestStorageLocationThatCannotTakeABackupIsWaitedFor(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		spoil func(*velerov1.BackupStorageLocation)
		mend  string
		says  string
	}{
		"Unavailable": {
			spoil: func(l *velerov1.BackupStorageLocation) {
				l.Status.Phase, l.Status.Message = velerov1.BackupStorageLocationPhaseUnavailable, "no such bucket"
			},
			mend: `{"status":{"phase":"Available","message":""}}`, says: "is Unavailable: its status.message",
		},
		"not validated yet": {
			spoil: func(l *velerov1.BackupStorageLocation) { l.Status.Phase = "" },
			mend:  `{"status":{"phase":"Available"}}`, says: "is not validated yet: its status.message and the log of the Velero server say why",
		},
		"ReadOnly": {
			spoil: func(l *velerov1.BackupStorageLocation) {
				l.Spec.AccessMode = velerov1.BackupStorageLocationAccessModeReadOnly
			},
			mend: `{"spec":{"accessMode":"ReadWrite"}}`, says: "is ReadOnly: set its spec.accessMode to ReadWrite",
		},
		"not admitted": {
			spoil: func(l *velerov1.BackupStorageLocation) { l.Labels = nil },
			mend:  `{"metadata":{"labels":{"allow.dr.backstay.dev/NAMESPACE":"true"}}}`, says: "that admits namespace",
		},
		"missing": {says: "or correct the plan's spec.backup.storageLocation"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := emptyShop(t)
			location := s.location()
			if tc.spoil != nil {
				tc.spoil(location)
				s.create(location)
			}
			s.create(s.deployment("web", "1"))
			s.create(s.plan("shop", func(p *v1alpha1.DRPlan) { p.Spec.Backup.StorageLocation = location.Name }))
			s.awaitSettled("shop")
			s.roll("web", "2")
			ready := s.awaitReady("shop-2", v1alpha1.ReasonStorageLocationUnavailable)
			s.says(ready.Message, "BackupStorageLocation "+location.Name, tc.says, "Held since")
			s.awaitPlanHeldFor(v1alpha1.ReasonStorageLocationUnavailable)
			s.backupsAre(0) // Velero would fail it at once, for good
			// That is the last that a timer of the operator leads to before the deadline: it would hide a missing watch.
			s.awaitReason("web", "reason="+v1alpha1.ReasonStorageLocationUnavailable)
			if tc.spoil == nil {
				s.create(location)
			} else {
				s.patch(location, replaceNamespace(tc.mend, s.namespace))
			}
			backup := s.awaitBackup("shop-2", 0)
			if got := s.backup(backup).Spec.StorageLocation; got != location.Name {
				t.Errorf("the backup goes to %q", got)
			}
			s.complete(backup)
			s.awaitStarted("web", "2")
		})
	}
}
