// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"encoding/json"
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// annotated is "web" with that many annotations of its pod template, as short as they can be.
func (s *shop) annotated(number int) *appsv1.Deployment {
	d := s.deployment("web")
	d.Spec.Template.Annotations = map[string]string{}
	for i := range number {
		d.Spec.Template.Annotations[base36(i)] = ""
	}
	return d
}

func base36(i int) string {
	const digits = "0123456789abcdefghijklmnopqrstuvwxyz"
	return string([]byte{digits[i/36/36%36], digits[i/36%36], digits[i%36]})
}

// An expression that looked at each of them would run into the cost limit, and the policy would be passed over.
func TestTemplateWithManyAnnotationsIsHeld(t *testing.T) {
	t.Parallel()
	for name, strict := range map[string]bool{"in a namespace like any other": false, "in a strict one": true} {
		for _, number := range []int{1000, 1001, 26_000} {
			t.Run(fmt.Sprintf("%d %s", number, name), func(t *testing.T) {
				t.Parallel()
				s := newEmptyShopOn(t, plane)
				plan := s.plan("shop", v1alpha1.GateModeHold)
				plan.Spec.Gate.RestartAnnotations = []string{"a", "b", "c", "d", "e", "f", "g", "h"}
				s.enforce(plan)
				if strict {
					s.strict()
					s.eventually("strict", s.evaluated)
				}
				dev := s.as(s.developer)
				s.create(s.annotated(number))
				s.isHeldBy(s.mustPatch(dev, image("2")), "the image")
				s.release()
				// Here nearly all of them would have to be looked at.
				restarted := `{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"now"}},` + image("3")[len(`{"spec":{"template":{`):]
				s.isHeldBy(s.mustPatch(dev, restarted), "a restart with another image")
				s.release()
				s.isHeldBy(s.mustPatch(dev, template(`"annotations":{"000":null}`)), "an annotation less")
				s.reset()
				brought, err := json.Marshal(map[string]any{"spec": map[string]any{"template": map[string]any{
					"metadata": map[string]any{"annotations": s.annotated(number).Spec.Template.Annotations}}}})
				if err != nil {
					t.Fatal(err)
				}
				s.isHeldBy(s.mustPatch(dev, string(brought)), "the annotations")
				s.release()
				s.isHeldBy(s.mustPatch(dev, templateAnnotation("000", "1")), "one of the annotations")
				s.release()
				d := s.mustPatch(dev, `{"spec":{"replicas":3}}`)
				if d.Spec.Paused {
					t.Error("scaling is held")
				}
				s.isHeldBy(s.mustPatch(dev, template(`"annotations":null`)), "their end")
			})
		}
	}
}

// evaluated reports whether the API server knows that the namespace is strict: a dry run of a changed template is written down.
func (s *shop) evaluated() error {
	scratch := s.deployment("scratch")
	scratch.Labels = nil
	if err := s.cp.Client.Create(s.t.Context(), scratch); err != nil {
		return err
	}
	scratch.Spec.Template.Spec.Hostname = "changed"
	err := s.cp.Client.Update(s.t.Context(), scratch)
	if err == nil && scratch.Annotations[v1alpha1.AnnotationEvaluated] == "" {
		err = fmt.Errorf("not strict yet")
	}
	if gone := s.cp.Client.Delete(s.t.Context(), scratch); gone != nil {
		return gone
	}
	return err
}

func (s *shop) isHeldBy(d *appsv1.Deployment, change string) {
	s.t.Helper()
	if !d.Spec.Paused || d.Annotations[v1alpha1.AnnotationHeldBy] != s.namespace+"/shop" {
		s.t.Errorf("%s: not held: %+v", change, stateOf(d))
	}
}
