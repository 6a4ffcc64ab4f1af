// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"testing"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// Only here: what the cache keeps still tells whose a release is, and the policy lets the operator delete it.
func TestReleasesBeyondTheLimitArePruned(t *testing.T) {
	t.Parallel()
	s := newShop(t, func(p *v1alpha1.DRPlan) { p.Spec.ReleaseHistoryLimit = 3 })
	s.rollOut("web", "2")
	git := s.announce("from-git", "0.1", v1alpha1.IntentRecord)
	git.Annotations = map[string]string{"argocd.argoproj.io/tracking-id": "shop:dr.backstay.dev/AppRelease:shop/from-git"}
	s.create(git)
	const builds = 8
	for i := range builds {
		s.create(s.announce(fmt.Sprintf("build-%d", i), fmt.Sprintf("3.0.%d", i), v1alpha1.IntentRecord))
	}
	var left []string
	s.await("the releases of no use are pruned", patience, func() (bool, any) {
		left = s.releases()
		return len(left) == 3, left
	})
	kept := fmt.Sprint(left)
	for _, name := range []string{"shop-2", "from-git"} {
		if !contains(kept, name) {
			t.Errorf("%s is pruned; there are %v", name, left)
		}
	}
	s.rollOut("web", "4")
	s.awaitPlan(v1alpha1.ConditionReady, v1alpha1.ReasonReconciled)
}
