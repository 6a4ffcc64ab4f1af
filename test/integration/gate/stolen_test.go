// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

const (
	ownHold  = "the operator may only release its own hold"
	ownMarks = "the operator may only write the marks of a hold that it found"
)

// What a stolen token of the operator cannot do to a Deployment that nobody holds, paused by its user.
func TestStolenTokenNeitherResumesNorMarksWhatIsNotHeld(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		paused     bool
		body, want string
	}{
		"to end the pause of a user":       {true, `{"spec":{"paused":null}}`, ownHold},
		"to end it as a user would":        {true, `{"spec":{"paused":false}}`, ownHold},
		"to end it and mark it":            {true, `{"metadata":{"annotations":{"dr.backstay.dev/held-by":"NS/shop"}},"spec":{"paused":null}}`, ownHold},
		"to pause":                         {false, `{"spec":{"paused":true}}`, ownHold},
		"to pause and mark":                {false, `{"metadata":{"annotations":{"dr.backstay.dev/held-by":"NS/shop"}},"spec":{"paused":true}}`, ownHold},
		"to mark what is not paused":       {false, annotation(v1alpha1.AnnotationHeldBy, "NS/shop"), ownMarks},
		"to mark it for another namespace": {true, annotation(v1alpha1.AnnotationHeldBy, "elsewhere/shop"), ownMarks},
		"to say that a user paused it":     {true, annotation(v1alpha1.AnnotationUserPaused, "true"), ownMarks},
		"to override":                      {true, annotation(v1alpha1.AnnotationOverride, "go"), ownMarks},
		"to invent a mark":                 {true, annotation("dr.backstay.dev/other", "x"), ownMarks},
		"to write a long one":              {true, annotation(v1alpha1.AnnotationHeldReason, strings.Repeat("x", 4097)), ownMarks},
		"to use a label of ours":           {true, `{"metadata":{"labels":{"dr.backstay.dev/x":"y"}}}`, "the operator must not label a workload"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newEmptyShopOn(t, plane)
			d := s.deployment("web")
			d.Spec.Paused = test.paused
			s.create(d)
			_, err := s.patch(s.operator(), strings.ReplaceAll(test.body, "NS/", s.namespace+"/"))
			refused(t, err, test.want)
			s.unchanged(d)
		})
	}
}

func TestStolenTokenReleasesAHoldAsAWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ change, body, want string }{
		"the mark stays":             {image("2"), `{"spec":{"paused":null}}`, ownHold},
		"the user's pause goes":      {pausedWith("2"), letGo, ownHold},
		"the template goes with it":  {image("2"), letGo[:len(letGo)-2] + `,"template":{"spec":{"containers":[{"name":"web","image":"evil"}]}}}}`, "must not change anything else"},
		"and an owner comes with it": {image("2"), `{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"x","uid":"y"}],` + letGo[len(`{"metadata":{`):], "finalizers or the owners"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			d := s.mustPatch(s.as(s.developer), test.change)
			_, err := s.patch(s.operator(), test.body)
			refused(t, err, test.want)
			s.unchanged(d)
		})
	}
}

// The record of an override tells who is to answer for it. It is taken back, whoever writes it.
func TestStolenTokenWritesNoRecordOfAnOverride(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.mustPatch(s.operator(), fmt.Sprintf(`{"metadata":{"annotations":{%q:"somebody else",%q:"go",%q:%q}}}`, v1alpha1.AnnotationOverriddenBy,
		v1alpha1.AnnotationOverrideReason, v1alpha1.AnnotationOverriddenAt, s.get("web").ResourceVersion))
	s.is(s.get("web"), free("1"))
}

// A foreign label or annotation is taken back, in the write that brings it: a tracking label makes a GitOps tool delete what
// carries it, others exempt from policies, or from backups.
func TestStolenTokenChangesNoForeignLabelOrAnnotation(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	before := s.mustPatch(s.as(s.developer), `{"metadata":{"labels":{"team":"a","tier":"web"},"annotations":{"note":"x","argocd.argoproj.io/tracking-id":"shop"}}}`)
	for name, body := range map[string]string{
		"added":         `{"metadata":{"labels":{"velero.io/exclude-from-backup":"true"},"annotations":{"a~b/c":"d"}}}`,
		"changed":       `{"metadata":{"labels":{"team":"b"},"annotations":{"argocd.argoproj.io/tracking-id":"evil"}}}`,
		"removed":       `{"metadata":{"labels":{"team":null,"app.kubernetes.io/part-of":null},"annotations":{"note":null}}}`,
		"all removed":   `{"metadata":{"labels":null,"annotations":null}}`,
		"all at once":   `{"metadata":{"labels":{"team":"c","tier":null,"x":"y"},"annotations":{"note":null,"p":"q"}}}`,
		"with our mark": `{"metadata":{"labels":{"team":"c"},"annotations":{"dr.backstay.dev/held-reason":"waits"}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			d := s.in(t).mustPatch(s.operator(), body)
			delete(d.Annotations, v1alpha1.AnnotationHeldReason)
			if !maps.Equal(d.Labels, before.Labels) || !maps.Equal(d.Annotations, before.Annotations) {
				t.Errorf("%v %v, where there was %v %v", d.Labels, d.Annotations, before.Labels, before.Annotations)
			}
		})
	}
}

// What the operator needs: to mark a hold again that somebody took the mark off, to say why it holds, and to say why it
// released.
func TestOperatorMarksAHoldAgainAndSaysWhy(t *testing.T) {
	t.Parallel()
	s := newEmptyShopOn(t, plane)
	d := s.deployment("web")
	d.Spec.Paused = true
	s.create(d)
	want := s.heldForUser("1")
	want.Annotations["held-reason"] = "waits"
	s.is(s.mustPatch(s.operator(), fmt.Sprintf(`{"metadata":{"annotations":{%q:%q,%q:"true",%q:"waits"}}}`, v1alpha1.AnnotationHeldBy,
		s.namespace+"/shop", v1alpha1.AnnotationUserPaused, v1alpha1.AnnotationHeldReason)), want)
	s.mustPatch(s.operator(), fmt.Sprintf(`{"metadata":{"annotations":{%q:null}}}`, v1alpha1.AnnotationUserPaused))
	admitted := free("1")
	admitted.Annotations = map[string]string{"admitted": "{}"}
	s.is(s.mustPatch(s.operator(), fmt.Sprintf(`{"metadata":{"annotations":{%q:null,%q:null,%q:"{}"}},"spec":{"paused":null}}`,
		v1alpha1.AnnotationHeldBy, v1alpha1.AnnotationHeldReason, v1alpha1.AnnotationAdmitted)), admitted)
}

// unchanged fails the test where a Deployment is not stored as it was.
func (s *shop) unchanged(was *appsv1.Deployment) {
	s.t.Helper()
	if now := s.get(was.Name); now.ResourceVersion != was.ResourceVersion {
		s.t.Errorf("it was written: %+v", stateOf(now))
	}
}
