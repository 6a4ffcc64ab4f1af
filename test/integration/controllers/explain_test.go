// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// Only here: the annotation is written past the policies that bound the operator.
// `kubectl describe deployment` answers why it is held, also when the event has expired.
func TestHeldDeploymentSaysWhy(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.roll("web", "2")
	backup := s.awaitBackup("shop-2", 0)
	s.awaitReason("web", "reason=VeleroNotResponding release=shop-2 since=")
	s.pass(backup, velerov1.BackupPhaseInProgress, nil)
	s.awaitReason("web", "reason=BackupInProgress release=shop-2 since=")
	s.mustBeHeld("web")
	s.complete(backup)
	s.awaitStarted("web", "2")
	if reason, says := s.workload("web").Annotations[v1alpha1.AnnotationHeldReason]; says {
		t.Errorf("it still says %q", reason)
	}
}

func (s *shop) awaitReason(name, begins string) {
	s.Helper()
	s.await(name+" says "+begins, patience, func() (bool, any) {
		annotations := s.workload(name).Annotations
		return contains(annotations[v1alpha1.AnnotationHeldReason], begins), annotations
	})
}
