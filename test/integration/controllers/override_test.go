// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"testing"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
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

// Whoever may override writes the reason, and others read it.
func TestReasonOfAnOverrideIsShownAsItIs(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	person := s.person("oncall-" + s.namespace)
	s.roll("web", "2")
	s.awaitBackup("shop-2", 0)
	if err := s.overrideAs(person, "all is \u202eton\u202c well\u200b"); err != nil {
		t.Fatal(err)
	}
	const shown = `all is \u202eton\u202c well\u200b`
	s.warns(s.awaitEvent("AppRelease", "shop-2", "Overridden"), shown)
	s.awaitReady("shop-2", v1alpha1.ReasonRolledOut)
	if o := s.release("shop-2").Status.Rollouts[0].Workloads[0].Override; o == nil || o.Reason != shown {
		t.Errorf("recorded: %+v", o)
	}
}

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

func TestObserveModeBacksUpAndHoldsNothing(t *testing.T) {
	t.Parallel()
	s := newShop(t, mode(v1alpha1.GateModeObserve))
	s.awaitPlan(v1alpha1.ConditionGated, v1alpha1.ReasonModeObserve)
	s.roll("web", "2")
	s.awaitStarted("web", "2")
	backup := s.awaitBackup("shop-2", 0)
	s.says(s.awaitEvent("Deployment", "web", "Observed").Note, "is backed up, and not held")
	s.complete(backup)
	s.awaitReady("shop-2", v1alpha1.ReasonRolledOut)
	ro := s.release("shop-2").Status.Rollouts[0]
	if ro.Cause != v1alpha1.CauseObserved {
		t.Errorf("cause %s", ro.Cause)
	}
}

func TestOffModeDoesNothing(t *testing.T) {
	t.Parallel()
	s := newShop(t, mode(v1alpha1.GateModeDisabled))
	s.awaitPlan(v1alpha1.ConditionGated, v1alpha1.ReasonModeDisabled)
	s.create(s.announce("next", "3", v1alpha1.IntentDeploy))
	s.awaitReady("next", v1alpha1.ReasonGateDisabled)
	s.roll("web", "2")
	s.awaitStarted("web", "2")
	s.awaitPlan(v1alpha1.ConditionDrifted, v1alpha1.ReasonVersionDiffers)
	s.backupsAre(0)
}

func mode(m v1alpha1.GateMode) setting {
	return func(p *v1alpha1.DRPlan) { p.Spec.Gate.Mode = m }
}

func TestStaleHoldAnnotationIsCleaned(t *testing.T) {
	t.Parallel()
	s := emptyShop(t)
	d := s.deployment("web", "1")
	d.Annotations = map[string]string{v1alpha1.AnnotationHeldBy: s.namespace + "/shop"} // restored, or created by hand
	s.create(d)
	s.create(s.plan("shop"))
	s.await("cleaned", patience, func() (bool, any) {
		_, there := s.workload("web").Annotations[v1alpha1.AnnotationHeldBy]
		return !there, s.workload("web").Annotations
	})
}

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

func TestRolloutInFlightMakesABackupThatProtectsNothing(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.rollOut("web", "2")
	s.patch(&appsv1.Deployment{ObjectMeta: s.meta("web")}, `{"metadata":{"annotations":{"stage.dr.backstay.dev/stuck":"true"}}}`)
	s.roll("web", "3")
	s.complete(s.awaitBackup("shop-3", 0))
	s.awaitReady("shop-3", v1alpha1.ReasonRollingOut)
	s.roll("web", "4")
	mixed := s.backup(s.awaitBackup("shop-4", 0))
	if mixed.Labels[v1alpha1.LabelMixed] != "true" || mixed.Labels[v1alpha1.LabelVersion] != "" {
		t.Errorf("labels of a backup during a rollout: %v", mixed.Labels)
	}
	s.pass(mixed.Name, velerov1.BackupPhaseInProgress, nil)
	s.pass(mixed.Name, velerov1.BackupPhaseCompleted, nil)
	s.awaitStarted("web", "4")
	s.await("the last good version stays the protected one", patience, func() (bool, any) {
		v := s.current().Status.Versions
		return v.Protected == "2", v
	})
}
