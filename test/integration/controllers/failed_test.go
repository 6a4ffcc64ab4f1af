// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/integration/stage"
)

func (s *shop) makesNoProgress(name string, failed bool) {
	s.Helper()
	value := "null"
	if failed {
		value = `"true"`
	}
	s.patch(s.workload(name), fmt.Sprintf(`{"metadata":{"annotations":{%q:%s,%q:%s}}}`, stage.AnnotationStuck, value, stage.AnnotationTimedOut, value))
}

// Only here: the condition of a Deployment comes through the cache, and events reach objects of three kinds.
func TestFailedRolloutIsToldUntilItRecovers(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.makesNoProgress("web", true)
	s.roll("web", "2")
	backup := s.awaitBackup("shop-2", 0)
	s.complete(backup)
	ready := s.awaitReady("shop-2", v1alpha1.ReasonRolloutFailed)
	s.says(ready.Message, "web: made no progress", "Backup "+backup+" holds 1", "kubectl -n "+s.namespace+" rollout undo deployment/web")
	s.stalled(s.release("shop-2"), true)
	s.says(s.awaitPlan(v1alpha1.ConditionReady, v1alpha1.ReasonRolloutFailed).Message, "see AppRelease shop-2")
	for kind, name := range map[string]string{"AppRelease": "shop-2", "DRPlan": "shop", "Deployment": "web"} {
		s.warns(s.awaitEvent(kind, name, v1alpha1.ReasonRolloutFailed), "made no progress")
	}
	s.makesNoProgress("web", false)
	s.awaitReady("shop-2", v1alpha1.ReasonRolledOut)
	s.awaitPlan(v1alpha1.ConditionReady, v1alpha1.ReasonReconciled)
}

// Only here: the watch of ReplicaSets passes what the status of no Deployment says.
// Nothing but the readiness of pods changes which version serves, and the ReplicaSets alone tell it.
func TestRunningFollowsTheReadyPods(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.makesNoProgress("web", true)
	s.ready("web", "1", 1)
	s.roll("web", "2")
	s.complete(s.awaitBackup("shop-2", 0))
	s.awaitReady("shop-2", v1alpha1.ReasonRolloutFailed)
	s.awaitRunning("1")
	s.ready("web", "2", 1)
	s.awaitRunning("2")
	s.ready("web", "2", 0)
	s.awaitRunning("1")
}

// ready makes so many pods of a Deployment's ReplicaSet of a version ready.
func (s *shop) ready(name, version string, pods int) {
	s.Helper()
	s.await("the ReplicaSet of version "+version, patience, func() (bool, any) {
		list := &appsv1.ReplicaSetList{}
		if err := s.stage.Live.List(s.Context(), list, client.InNamespace(s.namespace)); err != nil {
			s.Fatal(err)
		}
		for i := range list.Items {
			set := &list.Items[i]
			if !strings.HasPrefix(set.Name, name+"-") || set.Spec.Template.Spec.Containers[0].Image != image(name, version) {
				continue
			}
			old := set.DeepCopy()
			set.Status.Replicas, set.Status.ReadyReplicas = 1, int32(pods)
			if err := s.stage.Live.Status().Patch(s.Context(), set, client.MergeFrom(old)); err != nil {
				s.Fatal(err)
			}
			return true, nil
		}
		return false, list
	})
}

func (s *shop) awaitRunning(version string) {
	s.Helper()
	s.await("version "+version+" runs", patience, func() (bool, any) {
		v := s.current().Status.Versions
		return v.Running == version, v
	})
}
