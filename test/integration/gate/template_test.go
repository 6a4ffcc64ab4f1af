// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
	"testing"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// template is a merge patch of the metadata of the pod template.
func template(metadata string) string {
	return `{"spec":{"template":{"metadata":{` + metadata + `}}}}`
}

func templateAnnotation(key, value string) string {
	return template(fmt.Sprintf(`"annotations":{%q:%q}`, key, value))
}

// Most charts roll a changed ConfigMap out by an annotation of the pod template.
func TestWhateverChangesTheTemplatesMetadataIsHeld(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"an annotation":            templateAnnotation("checksum/config", "2"),
		"an annotation taken away": template(`"annotations":{"checksum/base":null}`),
		"a label":                  template(`"labels":{"app.kubernetes.io/version":"2"}`),
		"a name":                   template(`"name":"web"`),
		"a finalizer":              template(`"finalizers":["example.com/f"]`),
		"a restart with a change":  template(`"annotations":{"kubectl.kubernetes.io/restartedAt":"now","checksum/config":"2"}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newEmptyShopOn(t, plane)
			s.enforce(s.plan("shop", v1alpha1.GateModeHold))
			d := s.deployment("web")
			d.Spec.Template.Annotations = map[string]string{"checksum/base": "1"}
			s.create(d)
			s.is(s.mustPatch(s.as(s.developer), body), s.held("1"))
		})
	}
}

func TestRestartIsNoRevision(t *testing.T) {
	t.Parallel()
	s := newEmptyShopOn(t, plane)
	plan := s.plan("shop", v1alpha1.GateModeHold)
	plan.Spec.Gate.RestartAnnotations = []string{"example.com/restarted-at", "example.com/rolled"}
	s.enforce(plan)
	s.create(s.deployment("web"))
	dev := s.as(s.developer)
	for _, key := range []string{v1alpha1.AnnotationRestartedAt, "example.com/restarted-at", "example.com/rolled"} {
		s.is(s.mustPatch(dev, templateAnnotation(key, "1")), free("1"))
		s.is(s.mustPatch(dev, templateAnnotation(key, "2")), free("1"))
		s.is(s.mustPatch(dev, template(fmt.Sprintf(`"annotations":{%q:null}`, key))), free("1"))
	}
	s.is(s.mustPatch(dev, template(`"annotations":{"example.com/rolled":"3","example.com/other":"3"}`)), s.held("1"))
}

func TestAnnotationThatMeansARestartToAnotherPlanIsARevisionToThisOne(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	other := s.plan("other", v1alpha1.GateModeHold)
	other.Spec.Gate.RestartAnnotations = []string{"example.com/rolled"}
	s.enforce(other)
	s.is(s.mustPatch(s.as(s.developer), templateAnnotation("example.com/rolled", "1")), s.held("1"))
}
