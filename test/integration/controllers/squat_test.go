// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/velero"
)

// Only here: the API server refuses a name that the cache of the plan does not show.
// Whoever may create releases can take every name that is foreseeable. A rollout goes on under a name that is not.
func TestTakenNamesOfAReleaseKeepNoRolloutWaiting(t *testing.T) {
	t.Parallel()
	for name, version := range map[string]string{"a version that is a name": "2", "a version that is none": "2_B"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			squatter := s.announce(velero.ReleaseName("shop", version), "1", v1alpha1.IntentRecord)
			squatter.Spec.Plan = "ghost"
			s.create(squatter)
			inPlan := s.announce(velero.ReleaseName("shop", version)+"-2", "0.9", v1alpha1.IntentRecord)
			s.create(inPlan)
			s.roll("web", version)
			release := s.awaitReleaseOf(version)
			s.complete(s.awaitBackup(release.Name, 0))
			s.awaitStarted("web", version)
			s.awaitReady(release.Name, v1alpha1.ReasonRolledOut)
			list := &v1alpha1.AppReleaseList{}
			if err := s.stage.Live.List(t.Context(), list, client.InNamespace(s.namespace), client.MatchingFields{
				v1alpha1.FieldReleasePlan: "shop", v1alpha1.FieldReleaseVersion: version,
			}); err != nil {
				t.Fatal(err)
			}
			if len(list.Items) != 1 {
				t.Errorf("%d releases for one version", len(list.Items))
			}
		})
	}
}

// awaitReleaseOf waits until the plan "shop" has a release of a version.
func (s *shop) awaitReleaseOf(version string) *v1alpha1.AppRelease {
	s.Helper()
	var found *v1alpha1.AppRelease
	s.await("a release of version "+version, patience, func() (bool, any) {
		list := &v1alpha1.AppReleaseList{}
		if err := s.stage.Seen.List(s.Context(), list, client.InNamespace(s.namespace)); err != nil {
			s.Fatal(err)
		}
		for i := range list.Items {
			if list.Items[i].Spec.Plan == "shop" && list.Items[i].Spec.Version == version {
				found = &list.Items[i]
			}
		}
		return found != nil, list
	})
	return found
}
