// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// overridden is what an override by the shop's administrator leaves.
func (s *shop) overridden(tag, reason, at string) state {
	return state{Image: "shop/web:" + tag, Annotations: map[string]string{
		"override-reason": reason, "overridden-by": "admin-of-" + s.namespace, "overridden-at": at,
	}}
}

// refused fails the test unless the API server refused with every one of the texts.
func refused(t *testing.T, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("the API server let it through")
	}
	if !apierrors.IsForbidden(err) && !apierrors.IsInvalid(err) {
		t.Fatalf("refused by another cause: %v", err)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("the message lacks %q:\n%v", text, err)
		}
	}
}

// overrideWith changes the template and asks for the override in one write.
func overrideWith(tag, reason string) string {
	return fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}},"spec":{"template":{"spec":{"containers":[{"name":"web","image":"shop/web:%s"}]}}}}`,
		v1alpha1.AnnotationOverride, reason, tag)
}

func TestOverrideReleasesWhatIsHeldAndIsReplacedByItsRecord(t *testing.T) {
	s := newShop(t)
	admin := s.as(s.admin)
	before := s.mustPatch(admin, image("2"))
	s.is(before, s.held("2"))
	s.is(s.mustPatch(admin, annotation(v1alpha1.AnnotationOverride, "site is down")),
		s.overridden("2", "site is down", before.ResourceVersion))
}

func TestOverrideTogetherWithTheChangeIsNeverHeld(t *testing.T) {
	s := newShop(t)
	at := s.get("web").ResourceVersion
	s.is(s.mustPatch(s.as(s.admin), overrideWith("2", "hotfix")), s.overridden("2", "hotfix", at))
}

func TestOverrideIsConsumed(t *testing.T) {
	s := newShop(t)
	admin := s.as(s.admin)
	at := s.get("web").ResourceVersion
	s.mustPatch(admin, overrideWith("2", "hotfix"))
	want := s.overridden("3", "hotfix", at)
	want.Paused, want.Annotations["held-by"] = true, s.namespace+"/shop"
	s.is(s.mustPatch(admin, image("3")), want)
}

func TestOverrideWithoutTheVerbIsDenied(t *testing.T) {
	s := newShop(t)
	dev := s.as(s.developer)
	for name, body := range map[string]string{
		"with the change": overrideWith("2", "please"),
		"alone":           annotation(v1alpha1.AnnotationOverride, "please"),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.patch(dev, body)
			refused(t, err, `user dev may not override the hold of DRPlan shop`, `needs the verb override on drplans.dr.backstay.dev shop in namespace `+s.namespace)
		})
	}
	s.is(s.get("web"), free("1"))
}
