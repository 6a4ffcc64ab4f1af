// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"
	"time"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

func TestDeadlineThatPassesIsTold(t *testing.T) {
	t.Parallel()
	s := newShop(t, func(p *v1alpha1.DRPlan) { p.Spec.Gate.DeadlineSeconds = 60 })
	s.roll("web", "2")
	s.awaitBackup("shop-2", 0)
	s.heldSince("shop-2", time.Now().Add(-time.Minute))
	s.patch(s.workload("web"), `{"metadata":{"labels":{"look":"again"}}}`)
	s.says(s.awaitPlan(v1alpha1.ConditionReady, v1alpha1.ReasonDeadlinePassed).Message, "web: held beyond the deadline", "see AppRelease shop-2")
	for kind, name := range map[string]string{"AppRelease": "shop-2", "DRPlan": "shop", "Deployment": "web"} {
		s.warns(s.awaitEvent(kind, name, "DeadlinePassed"), "held beyond its deadline")
	}
	s.mustBeHeld("web")
}
