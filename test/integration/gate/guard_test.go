// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// guardedPlan is "shop", which releases at its deadline or not, and holds "web" as its status says.
func (s *shop) guardedPlan(onDeadline v1alpha1.DeadlineAction) {
	s.t.Helper()
	plan := s.plan("shop", v1alpha1.GateModeHold)
	plan.Spec.Workloads.MatchLabels["tier"] = "front"
	plan.Spec.Gate.OnDeadline = onDeadline
	plan.Spec.Gate.RestartAnnotations = []string{"example.com/rolled"}
	s.create(plan)
	s.holds(plan)
}

// holds writes into a plan's status that it holds "web", as the operator does.
func (s *shop) holds(plan *v1alpha1.DRPlan) {
	s.t.Helper()
	since := metav1.Now()
	plan.Status.HeldCount = 1
	plan.Status.Held = []v1alpha1.HeldWorkload{{
		Group: v1alpha1.GroupApps, Kind: v1alpha1.KindDeployment, Name: "web", Since: &since, Reason: "BackupInProgress",
	}}
	if err := s.cp.Client.Status().Update(s.t.Context(), plan); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) patchPlan(user client.Client, body string) error {
	return user.Patch(s.t.Context(), s.plan("shop", ""), client.RawPatch(types.MergePatchType, []byte(body)))
}

// planEditor is somebody who may write plans in the namespace, and not override them.
func (s *shop) planEditor() client.Client {
	s.t.Helper()
	s.cp.AllowPlans(s.t, "editor-of-"+s.namespace, s.namespace)
	return s.as(s.cp.Stranger(s.t, "editor-of-"+s.namespace))
}

// weakenings of a plan are what may start what it holds, and how the message calls them.
var weakenings = map[string]string{
	`{"spec":{"gate":{"mode":"Observe"}}}`:                          "spec.gate.mode",
	`{"spec":{"gate":{"mode":"Disabled"}}}`:                         "spec.gate.mode",
	`{"spec":{"gate":{"onDeadline":"Release"}}}`:                    "spec.gate.onDeadline",
	`{"spec":{"workloads":{"matchLabels":{"tier":"back"}}}}`:        "spec.workloads.matchLabels",
	`{"spec":{"workloads":{"matchLabels":{"another":"label"}}}}`:    "spec.workloads.matchLabels",
	`{"spec":{"gate":{"restartAnnotations":["checksum/config"]}}}`:  "spec.gate.restartAnnotations",
	`{"spec":{"gate":{"restartAnnotations":null}}}`:                 "spec.gate.restartAnnotations",
	`{"spec":{"gate":{"mode":"Observe","onDeadline":"Release"}}}`:   "spec.gate.mode",
	`{"spec":{"version":"2","workloads":{"matchLabels":{"a":""}}}}`: "spec.workloads.matchLabels",
}

func TestPlanThatHoldsIsNeitherWeakenedNorDeletedWithoutTheVerb(t *testing.T) {
	t.Parallel()
	s := newEmptyShopOn(t, plane)
	s.guardedPlan(v1alpha1.DeadlineHold)
	editor := s.planEditor()
	message := func(doing string) string {
		return fmt.Sprintf("DRPlan shop holds workloads of namespace %[1]s, and %[2]s would start them without a backup: for user editor-of-%[1]s that "+
			"needs the verb override on drplans.dr.backstay.dev shop in namespace %[1]s (the ClusterRole backstay-override has it). "+
			"Or wait until it holds nothing: kubectl -n %[1]s get drplan shop -o wide", s.namespace, doing)
	}
	for body, field := range weakenings {
		refused(t, s.patchPlan(editor, body), message("changing "+field))
	}
	refused(t, editor.Delete(t.Context(), s.plan("shop", "")), message("deleting it"))
	err := editor.DeleteAllOf(t.Context(), &v1alpha1.DRPlan{}, client.InNamespace(s.namespace))
	refused(t, err, message("deleting it"))
}

func TestShorterDeadlineOfAPlanThatReleasesAtItNeedsTheVerb(t *testing.T) {
	t.Parallel()
	s := newEmptyShopOn(t, plane)
	s.guardedPlan(v1alpha1.DeadlineRelease)
	editor := s.planEditor()
	refused(t, s.patchPlan(editor, `{"spec":{"gate":{"deadlineSeconds":60}}}`), "changing spec.gate.deadlineSeconds would start them")
	for _, body := range []string{`{"spec":{"gate":{"deadlineSeconds":7200}}}`, `{"spec":{"gate":{"onDeadline":"Hold","deadlineSeconds":60}}}`} {
		if err := s.patchPlan(editor, body); err != nil {
			t.Error(err)
		}
	}
}

func TestPlanThatHoldsIsChangedInEverythingElse(t *testing.T) {
	t.Parallel()
	s := newEmptyShopOn(t, plane)
	s.guardedPlan(v1alpha1.DeadlineHold)
	editor := s.planEditor()
	for _, body := range []string{
		`{"spec":{"version":"2.0.0"}}`, `{"spec":{"gate":{"deadlineSeconds":60,"backupAttempts":9}}}`, `{"metadata":{"labels":{"a":"b"},"annotations":{"a":"b"}}}`,
		`{"metadata":{"finalizers":["example.com/f"]}}`, `{"metadata":{"finalizers":null}}`,
		`{"spec":{"workloads":{"matchLabels":{"tier":null}}}}`, `{}`,
	} {
		if err := s.patchPlan(editor, body); err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestPlanThatHoldsNothingIsWeakenedAndDeletedByWhoeverMayWriteIt(t *testing.T) {
	t.Parallel()
	for body := range weakenings {
		t.Run(body, func(t *testing.T) {
			t.Parallel()
			s := newEmptyShopOn(t, plane)
			s.create(s.plan("shop", v1alpha1.GateModeHold))
			editor := s.planEditor()
			if err := s.patchPlan(editor, body); err != nil {
				t.Error(err)
			}
			if err := editor.Delete(t.Context(), s.plan("shop", "")); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWhoeverMayOverrideWeakensAndDeletesAPlanThatHolds(t *testing.T) {
	t.Parallel()
	t.Run("a person", func(t *testing.T) {
		t.Parallel()
		s := newEmptyShopOn(t, plane)
		s.guardedPlan(v1alpha1.DeadlineHold)
		editor := s.planEditor()
		s.cp.AllowOverride(t, "editor-of-"+s.namespace, s.namespace, "shop")
		if err := s.patchPlan(editor, `{"spec":{"gate":{"mode":"Observe"}}}`); err != nil {
			t.Error(err)
		}
		if err := editor.Delete(t.Context(), s.plan("shop", "")); err != nil {
			t.Error(err)
		}
	})
	t.Run("an administrator", func(t *testing.T) {
		t.Parallel()
		s := newEmptyShopOn(t, plane)
		s.guardedPlan(v1alpha1.DeadlineHold)
		if err := s.cp.Client.Delete(t.Context(), s.plan("shop", "")); err != nil {
			t.Error(err)
		}
	})
	t.Run("a ServiceAccount only where it is named", func(t *testing.T) {
		t.Parallel()
		s := newEmptyShopOn(t, plane)
		s.guardedPlan(v1alpha1.DeadlineHold)
		ci := s.as(s.cp.Pipeline(t, "argocd", s.namespace))
		s.cp.AllowEverything(t, "system:serviceaccount:"+s.namespace+":argocd", s.namespace)
		refused(t, ci.Delete(t.Context(), s.plan("shop", "")), "counts from a ServiceAccount only where the annotation")
		s.name(s.namespace + "/argocd")
		s.eventually("named", func() error { return ci.Delete(t.Context(), s.plan("shop", "")) })
	})
}

func TestNothingThatTakesAPlanAlongIsHeldUpByIt(t *testing.T) {
	t.Parallel()
	for name, username := range map[string]string{
		"the namespace controller":                 "system:serviceaccount:kube-system:namespace-controller",
		"a manager whose controllers are one user": "system:kube-controller-manager",
	} {
		t.Run(name+", while the namespace goes", func(t *testing.T) {
			t.Parallel()
			s := newEmptyShopOn(t, plane)
			s.guardedPlan(v1alpha1.DeadlineHold)
			s.cp.AllowEverything(t, username, s.namespace)
			controller := s.impersonated(username)
			if err := s.cp.Client.Delete(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}); err != nil {
				t.Fatal(err)
			}
			s.eventually("admission knows that it goes", func() error {
				return controller.DeleteAllOf(t.Context(), &v1alpha1.DRPlan{}, client.InNamespace(s.namespace))
			})
			if err := s.cp.Client.Get(t.Context(), client.ObjectKeyFromObject(s.plan("shop", "")), &v1alpha1.DRPlan{}); !apierrors.IsNotFound(err) {
				t.Errorf("the plan is left: %v", err)
			}
		})
	}
	t.Run("anybody, while the namespace goes", func(t *testing.T) {
		t.Parallel()
		s := newEmptyShopOn(t, plane)
		s.guardedPlan(v1alpha1.DeadlineHold)
		editor := s.planEditor()
		if err := s.cp.Client.Delete(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}); err != nil {
			t.Fatal(err)
		}
		s.eventually("admission knows that it goes", func() error {
			return client.IgnoreNotFound(editor.Delete(t.Context(), s.plan("shop", "")))
		})
	})
}

// Whoever may edit a plan may give it an owner that does not exist, and the garbage collector would delete it.
func TestGarbageCollectorDeletesNoPlanThatHolds(t *testing.T) {
	t.Parallel()
	for _, username := range []string{"system:serviceaccount:kube-system:generic-garbage-collector", "system:kube-controller-manager"} {
		t.Run(username, func(t *testing.T) {
			t.Parallel()
			s := newEmptyShopOn(t, plane)
			s.guardedPlan(v1alpha1.DeadlineHold)
			s.cp.AllowEverything(t, username, s.namespace)
			owner := `{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"gone","uid":"gone"}]}}`
			if err := s.patchPlan(s.planEditor(), owner); err != nil {
				t.Fatal(err)
			}
			collector := s.impersonated(username)
			refused(t, collector.Delete(t.Context(), s.plan("shop", "")), "deleting it would start them")
			s.holdsNothing()
			if err := collector.Delete(t.Context(), s.plan("shop", "")); err != nil {
				t.Error(err)
			}
		})
	}
}

// A plan that was deleted while it held nothing stays for as long as it has a finalizer, and holds.
func TestTerminatingPlanThatHoldsKeepsItsLastFinalizer(t *testing.T) {
	t.Parallel()
	s := newEmptyShopOn(t, plane)
	plan := s.plan("shop", v1alpha1.GateModeHold)
	plan.Finalizers = []string{"example.com/a", "example.com/b"}
	s.create(plan)
	editor := s.planEditor()
	if err := editor.Delete(t.Context(), s.plan("shop", "")); err != nil {
		t.Fatal(err)
	}
	if err := s.cp.Client.Get(t.Context(), client.ObjectKeyFromObject(plan), plan); err != nil {
		t.Fatal(err)
	}
	s.holds(plan)
	if err := s.patchPlan(editor, `{"metadata":{"finalizers":["example.com/b"]}}`); err != nil {
		t.Error(err)
	}
	const last = `{"metadata":{"finalizers":null}}`
	refused(t, s.patchPlan(editor, last), "taking its last finalizer off would start them")
	s.cp.AllowEverything(t, "system:kube-controller-manager", s.namespace)
	refused(t, s.patchPlan(s.impersonated("system:kube-controller-manager"), last), "taking its last finalizer off would start them")
	s.holdsNothing()
	if err := s.patchPlan(editor, last); err != nil {
		t.Error(err)
	}
}

// holdsNothing writes into the status of the plan "shop" that it holds nothing any more.
func (s *shop) holdsNothing() {
	s.t.Helper()
	if err := s.cp.Client.Status().Patch(s.t.Context(), s.plan("shop", ""),
		client.RawPatch(types.MergePatchType, []byte(`{"status":{"held":null,"heldCount":null}}`))); err != nil {
		s.t.Fatal(err)
	}
}

// The API server reads every plan as a whole at every write of a workload in the namespace.
func TestPlanIsKeptSmall(t *testing.T) {
	t.Parallel()
	const text, lists = "must have at most 16384 characters in all, and be at most 1000 each", "must have at most 16 finalizers, owners and managers of its fields each"
	s := newEmptyShopOn(t, plane)
	plan := s.plan("shop", v1alpha1.GateModeHold)
	plan.Annotations = map[string]string{"a": strings.Repeat("x", 10_000), "b": strings.Repeat("x", 7_000)}
	refused(t, s.cp.Client.Create(t.Context(), plan), text)
	for i := range 60_000 {
		plan.Annotations[fmt.Sprintf("%x", i)] = ""
	}
	plan.Annotations["a"] = ""
	refused(t, s.cp.Client.Create(t.Context(), plan), text)
	plan.Annotations = map[string]string{"a": strings.Repeat("x", 10_000), "b": "x"}
	s.create(plan)
	refused(t, s.patchPlan(s.cp.Client, annotation("b", strings.Repeat("x", 7_000))), text)
	var names []string
	for i := range 20 {
		names = append(names, fmt.Sprintf("example.com/f%d", i))
	}
	refused(t, s.patchPlan(s.cp.Client, `{"metadata":{"finalizers":["`+strings.Join(names, `","`)+`"]}}`), lists)
	// Each manager lists its fields: that is what makes a plan large whose fields are few.
	kubectl := s.cp.Kubectl(t, s.cp.Admin, s.namespace)
	manifest := fmt.Sprintf("{apiVersion: dr.backstay.dev/v1alpha1, kind: DRPlan, metadata: {name: shop, namespace: %s, labels: {a: b}}}", s.namespace)
	var last string
	for i := range 20 {
		if tried := kubectl.Try(manifest, "apply", "--server-side", "--field-manager", fmt.Sprintf("m%d", i), "-f", "-"); tried.Code != 0 {
			last = tried.Stderr
			break
		}
	}
	if !strings.Contains(last, lists) {
		t.Errorf("as many managers as anybody likes: %s", last)
	}
}

func TestNamespaceHasAtMostOneHundredPlans(t *testing.T) {
	t.Parallel()
	const tooMany = "a namespace must have at most 100 DRPlans"
	s := newEmptyShopOn(t, plane)
	for i := range v1alpha1.MaxPlans {
		s.create(s.elsewhere(i))
	}
	var last error
	for i := range 20 { // Each API server counts those that it knows.
		if last = s.cp.Client.Create(t.Context(), s.elsewhere(1000+i)); last != nil {
			break
		}
	}
	refused(t, last, tooMany)
	for _, name := range []string{"plan-0", "plan-99"} {
		kubectl := s.cp.Kubectl(t, s.cp.Admin, s.namespace)
		if stored := kubectl.Run("get", "drplan", name, "-o", "json").Stdout; strings.Contains(stored, "counted") {
			t.Errorf("%s shows how it was counted:\n%s", name, stored)
		}
	}
	if err := s.cp.Client.DeleteAllOf(t.Context(), &v1alpha1.DRPlan{}, client.InNamespace(s.namespace)); err != nil {
		t.Fatal(err)
	}
	s.eventually("there is room again", func() error { return s.cp.Client.Create(t.Context(), s.elsewhere(0)) })
}
