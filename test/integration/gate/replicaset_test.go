// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

const (
	revisionEdited = `{"spec":{"template":{"spec":{"hostname":"edited"}}}}`
	mustNotEdit    = "must not change the pod template of replicasets web-1, nor its annotation dr.backstay.dev/admitted: " +
		"it is a revision of a Deployment. Change the Deployment instead"
)

func (s *shop) patchRevision(user client.Client, body string) error {
	set := &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "web-1"}}
	return user.Patch(s.t.Context(), set, client.RawPatch(types.MergePatchType, []byte(body)))
}

// impersonated is a client for a user of the control plane.
func (s *shop) impersonated(username string) client.Client {
	s.t.Helper()
	config := rest.CopyConfig(s.cp.Admin)
	config.Impersonate.UserName = username
	return s.as(config)
}

// Its pods would run under a hold, and under the record of another start.
func TestTemplateOfARevisionIsChangedByItsControllerOnly(t *testing.T) {
	t.Parallel()
	const orphaned, unlabelled = `{"metadata":{"ownerReferences":null}}`, `{"metadata":{"labels":{"pod-template-hash":null}}}`
	for name, detach := range map[string]string{"owned and labelled": `{}`, "orphaned": orphaned, "without the label": unlabelled} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.revision(1)
			s.mustPatch(s.as(s.developer), image("2"))
			dev := s.as(s.developer)
			if err := s.patchRevision(dev, detach); err != nil {
				t.Fatal(err)
			}
			refused(t, s.patchRevision(dev, revisionEdited), "user dev "+mustNotEdit)
			refused(t, s.patchRevision(s.cp.Client, revisionEdited), mustNotEdit)
			refused(t, s.patchRevision(dev, annotation(v1alpha1.AnnotationAdmitted, "forged")), mustNotEdit)
		})
	}
}

func TestRevisionGoesOnUnderItsControllerAndInEverythingElse(t *testing.T) {
	t.Parallel()
	for _, controller := range []string{"system:serviceaccount:kube-system:deployment-controller", "system:kube-controller-manager"} {
		t.Run(controller, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.revision(1)
			if controller == "system:kube-controller-manager" {
				s.cp.AllowEverything(t, controller, s.namespace)
			}
			for _, body := range []string{revisionEdited, annotation(v1alpha1.AnnotationAdmitted, "true"), `{"spec":{"replicas":3}}`} {
				if err := s.patchRevision(s.impersonated(controller), body); err != nil {
					t.Error(err)
				}
			}
		})
	}
	t.Run("in everything else", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		s.revision(1)
		dev := s.as(s.developer)
		for _, body := range []string{`{"spec":{"replicas":3}}`, annotation("note", "x"), `{"metadata":{"labels":{"a":"b"}}}`, `{"metadata":{"finalizers":["example.com/f"]}}`} {
			if err := s.patchRevision(dev, body); err != nil {
				t.Error(err)
			}
		}
		scale := &autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: 7}}
		set := &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "web-1"}}
		if err := dev.SubResource("scale").Update(t.Context(), set, client.WithSubResourceBody(scale)); err != nil {
			t.Error(err)
		}
	})
	t.Run("where it is nobody's", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		s.revision(1)
		dev := s.as(s.developer)
		for _, body := range []string{`{"metadata":{"ownerReferences":null,"labels":{"pod-template-hash":null}}}`, revisionEdited} {
			if err := s.patchRevision(dev, body); err != nil {
				t.Error(fmt.Errorf("%s: %w", body, err))
			}
		}
		// But it may become one again.
		refused(t, s.patchRevision(dev, annotation(v1alpha1.AnnotationAdmitted, "forged")), mustNotEdit)
	})
}

// A held workload adopts whatever its selector matches, and the record would explain why its pods run.
func TestRevisionThatSomebodyElseCreatesBringsNoRecord(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	dev := s.as(s.developer)
	for name, by := range map[string]client.Client{"forged": dev, "restored": s.cp.Client} {
		set := s.bareRevision(name)
		if err := by.Create(t.Context(), set); err != nil {
			t.Fatal(err)
		}
		if _, found := set.Annotations[v1alpha1.AnnotationAdmitted]; found || set.Annotations["note"] != "kept" {
			t.Errorf("%s: %v", name, set.Annotations)
		}
	}
	set := s.bareRevision("true")
	if err := s.impersonated("system:serviceaccount:kube-system:deployment-controller").Create(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	if set.Annotations[v1alpha1.AnnotationAdmitted] == "" {
		t.Error("the controller's own record is lost")
	}
}

// bareRevision is a ReplicaSet that "web" would adopt.
func (s *shop) bareRevision(name string) *appsv1.ReplicaSet {
	s.t.Helper()
	d := s.get("web")
	set := &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{
		Namespace: s.namespace, Name: name, Labels: d.Spec.Template.Labels,
		Annotations: map[string]string{v1alpha1.AnnotationAdmitted: "{}", "note": "kept"},
	}}
	set.Spec.Selector, set.Spec.Template = d.Spec.Selector, d.Spec.Template
	return set
}

func TestStatusOfARevisionBringsNoRecord(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.revision(1)
	set := &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "web-1"}}
	body := client.RawPatch(types.MergePatchType, []byte(annotation(v1alpha1.AnnotationAdmitted, "forged")))
	refused(t, s.cp.Client.Status().Patch(t.Context(), set, body), mustNotEdit)
}
