// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// What a quota refuses stays held, says so on the plan, and goes on once the quota is gone.
func TestPromise5_QuotaThatLeavesNoRoomForAReleaseIsTold(t *testing.T) {
	t.Parallel()
	a := newApp(t, shared, "web")
	const quota = "releases"
	a.root.run("create", "quota", quota, "--hard=count/appreleases.dr.backstay.dev=0")
	a.await("the quota is in force", func() error {
		if q := live(a, &corev1.ResourceQuota{}, quota); len(q.Status.Hard) == 0 {
			return fmt.Errorf("nothing counts yet: %+v", q.Status)
		}
		return nil
	})
	before := a.look("web")
	a.setImage("web", "1.5.0")
	a.await("the plan tells of the quota", func() error {
		return a.warned("DRPlan", planName, "AppReleaseNotCreated", "what is held stays held", "quota: "+quota)
	})
	if err := a.held(live(a, &appsv1.Deployment{}, "web")); err != nil {
		t.Error(err)
	}
	a.await("the plan lists it", func() error {
		if held := a.plan().Status.Held; len(held) != 1 || held[0].Reason != v1alpha1.ReasonNotRecorded {
			return fmt.Errorf("it lists as held: %+v", held)
		}
		return nil
	})
	if made := a.newBackups(before); len(made) > 0 {
		t.Errorf("a backup that no release records: %s", made[0].Name)
	}
	a.root.run("delete", "quota", quota)
	a.awaitStarted(before)
	a.protected(before)
}

// warned says why there is no warning on an object whose note has every text.
func (a *app) warned(kind, name, reason string, texts ...string) error {
	a.t.Helper()
	list := &eventsv1.EventList{}
	if err := a.admin.List(a.t.Context(), list, client.InNamespace(a.namespace)); err != nil {
		a.t.Fatal(err)
	}
	err := fmt.Errorf("no event %s on %s %s", reason, kind, name)
	for _, e := range list.Items {
		if e.Regarding.Kind != kind || e.Regarding.Name != name || e.Reason != reason || e.Type != corev1.EventTypeWarning {
			continue
		}
		err = nil
		for _, text := range texts {
			if !strings.Contains(e.Note, text) {
				err = fmt.Errorf("the event lacks %q: %s", text, e.Note)
			}
		}
	}
	return err
}
