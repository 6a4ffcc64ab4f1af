// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/internal/gate"
	"github.com/backstay-dr/backstay/internal/workload"
)

// 200 updates of 20 Deployments by several users at a time, none of which may come back, or be stored, unheld.
func TestManyUpdatesAtOnceAreAllHeld(t *testing.T) {
	t.Parallel()
	const deployments, rounds = 20, 10
	s := newShop(t)
	users := []client.Client{s.as(s.developer), s.as(s.admin), s.as(s.cp.Pipeline(t, "ci", s.namespace))}
	for i := range deployments {
		s.create(s.deployment(fmt.Sprintf("app-%d", i)))
	}
	var group errgroup.Group
	group.SetLimit(16)
	for round := range rounds {
		for i := range deployments {
			group.Go(func() error {
				name := fmt.Sprintf("app-%d", i)
				d := &appsv1.Deployment{}
				d.Namespace, d.Name = s.namespace, name
				body := fmt.Sprintf(`{"spec":{"template":{"spec":{"containers":[{"name":%q,"image":"shop:%d"}]}}}}`, name, round+2)
				if round%3 == 2 {
					body = `{"spec":{"paused":false}}`
				}
				if err := users[(round+i)%len(users)].Patch(t.Context(), d, client.RawPatch(types.StrategicMergePatchType, []byte(body))); err != nil {
					return err
				}
				if !gate.ProbeHeld(workload.Deployment, d, "shop") {
					return fmt.Errorf("round %d: %s is not held", round, name)
				}
				return nil
			})
		}
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	for i := range deployments {
		if d := s.get(fmt.Sprintf("app-%d", i)); !gate.ProbeHeld(workload.Deployment, d, "shop") {
			t.Errorf("%s is stored unheld: %+v", d.Name, stateOf(d))
		}
	}
}
