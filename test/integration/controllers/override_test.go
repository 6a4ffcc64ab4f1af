// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/controllers"
)

// overrideAs asks for the release of "web" without a backup, as a person.
func (s *shop) overrideAs(person client.Client, reason string) error {
	return person.Patch(s.Context(), &appsv1.Deployment{ObjectMeta: s.meta("web")}, client.RawPatch(types.MergePatchType,
		fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`, v1alpha1.AnnotationOverride, reason)))
}

// person is somebody who may edit, and override the plan "shop".
func (s *shop) person(name string) client.Client {
	s.Helper()
	cfg := s.stage.Developer(s.T, name, s.namespace)
	s.stage.AllowOverride(s.T, name, s.namespace, "shop")
	c, err := client.New(cfg, client.Options{Scheme: controllers.Scheme()})
	if err != nil {
		s.Fatal(err)
	}
	return c
}

// Only here: the authorizer allows it, and the policy writes who it was.
func TestOverrideIsRecordedWithWhoAndWhy(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	person := s.person("oncall-" + s.namespace)
	s.roll("web", "2")
	s.awaitBackup("shop-2", 0)
	s.mustBeHeld("web")
	if err := s.overrideAs(person, "the site is down"); err != nil {
		t.Fatal(err)
	}
	s.awaitStarted("web", "2")
	s.awaitReady("shop-2", v1alpha1.ReasonRolledOut)
	ro := s.release("shop-2").Status.Rollouts[0]
	if ro.Workloads[0].Override == nil || ro.Workloads[0].Override.User != "oncall-"+s.namespace || ro.Workloads[0].Override.Reason != "the site is down" ||
		ro.Workloads[0].StartReason != v1alpha1.StartOverridden {
		t.Errorf("the override is not recorded: %s", show(ro))
	}
	for _, on := range [][2]string{{"AppRelease", "shop-2"}, {"DRPlan", "shop"}} {
		s.warns(s.awaitEvent(on[0], on[1], "Overridden"), "oncall-"+s.namespace, "without a backup", "the site is down")
	}
	s.await("the record leaves the Deployment", patience, func() (bool, any) {
		a := s.workload("web").Annotations
		_, who := a[v1alpha1.AnnotationOverriddenBy]
		_, why := a[v1alpha1.AnnotationOverrideReason]
		return !who && !why, a
	})
	// The next change is held as ever.
	s.roll("web", "3")
	s.mustBeHeld("web")
	s.awaitBackup("shop-3", 0)
	s.mustBeHeld("web")
}

// Only here: the policies honour it in the write that they would hold.
func TestOverrideInTheSameWriteAsTheChangeIsRecorded(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.person("oncall-" + s.namespace)
	s.patch(&appsv1.Deployment{ObjectMeta: s.meta("web")}, fmt.Sprintf(
		`{"metadata":{"annotations":{%q:"hotfix"}},"spec":{"template":{"spec":{"containers":[{"name":"main","image":%q}]}}}}`,
		v1alpha1.AnnotationOverride, image("web", "2")))
	s.awaitReady("shop-2", v1alpha1.ReasonRolledOut)
	ro := s.release("shop-2").Status.Rollouts[0]
	if ro.Workloads[0].Override == nil || ro.Workloads[0].Override.Reason != "hotfix" {
		t.Errorf("the override is not recorded: %s", show(ro))
	}
	s.awaitEvent("DRPlan", "shop", "Overridden")
}

// Only here: the operator reads the mark that the policy makes of the pause.
func TestUsersOwnPauseSurvivesTheHold(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.patch(&appsv1.Deployment{ObjectMeta: s.meta("web")}, `{"spec":{"paused":true}}`)
	s.roll("web", "2")
	s.complete(s.awaitBackup("shop-2", 0))
	s.says(s.awaitReady("shop-2", v1alpha1.ReasonPaused).Message, "paused by a user before it was held", "kubectl rollout resume")
	s.mustBeHeld("web")
	s.patch(&appsv1.Deployment{ObjectMeta: s.meta("web")}, `{"spec":{"paused":null}}`)
	s.awaitReady("shop-2", v1alpha1.ReasonRolledOut)
	s.backupsAre(1)
}
