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
		"override-reason": reason, "overridden-by": "admin-of-" + s.namespace, "overridden-at": at + "/shop",
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

func TestOverrideTogetherWithAResume(t *testing.T) {
	t.Parallel()
	body := fmt.Sprintf(`{"metadata":{"annotations":{%q:"go"}},"spec":{"paused":false}}`, v1alpha1.AnnotationOverride)
	for name, hold := range map[string]string{"of a hold": image("2"), "of a hold and a user's pause": pausedWith("2")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			at := s.mustPatch(s.as(s.admin), hold).ResourceVersion
			s.is(s.mustPatch(s.as(s.admin), body), s.overridden("2", "go", at))
		})
	}
}

func TestOverrideTogetherWithTheUsersPauseStaysPaused(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	at := s.get("web").ResourceVersion
	want := s.overridden("2", "go", at)
	want.Paused = true
	s.is(s.mustPatch(s.as(s.admin), strings.Replace(overrideWith("2", "go"), `"spec":{`, `"spec":{"paused":true,`, 1)), want)
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
	denied := func(body string) {
		_, err := s.patch(dev, body)
		refused(t, err, `user dev may not override the hold of DRPlan shop`, `needs the verb override on drplans.dr.backstay.dev shop in namespace `+s.namespace)
	}
	denied(overrideWith("2", "please"))
	s.is(s.get("web"), free("1"))
	s.mustPatch(dev, image("2"))
	denied(annotation(v1alpha1.AnnotationOverride, "please"))
	s.is(s.get("web"), s.held("2"))
}

func TestOverrideNeedsAReasonOfBoundedLength(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	admin := s.as(s.admin)
	for name, reason := range map[string]string{"empty": "", "too long": strings.Repeat("x", 257)} {
		t.Run(name, func(t *testing.T) {
			_, err := s.in(t).patch(admin, overrideWith("2", reason))
			refused(t, err, "the value of the annotation 'dr.backstay.dev/override' must be the reason of the override, 1 to 256 characters")
		})
	}
	longest := strings.Repeat("ü", 256)
	at := s.get("web").ResourceVersion
	s.is(s.mustPatch(admin, overrideWith("2", longest)), s.overridden("2", longest, at))
}

func TestOverrideOfNothingIsDenied(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	for name, body := range map[string]string{
		"alone":              annotation(v1alpha1.AnnotationOverride, "in advance"),
		"the same template":  overrideWith("1", "in advance"),
		"with other changes": fmt.Sprintf(`{"metadata":{"annotations":{%q:"x"}},"spec":{"replicas":5}}`, v1alpha1.AnnotationOverride),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.in(t).patch(s.as(s.admin), body)
			refused(t, err, "there is nothing to override: web is not held, and this write does not change its pod template")
		})
	}
	s.is(s.get("web"), free("1"))
}

func TestOverrideMayBeRepeatedForTheSameReason(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	admin := s.as(s.admin)
	for tag := 2; tag < 5; tag++ {
		at := s.mustPatch(admin, image(fmt.Sprint(tag))).ResourceVersion
		s.is(s.mustPatch(admin, annotation(v1alpha1.AnnotationOverride, "again")), s.overridden(fmt.Sprint(tag), "again", at))
	}
}

// An override in a manifest asks again with every apply. It is honoured together with a change, and refused without.
func TestOverrideInAManifestIsRefusedOnceItHasServed(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	k := s.cp.Kubectl(t, s.admin, s.namespace)
	apply := []string{"apply", "--server-side", "--force-conflicts", "-f", "-"}
	with := func(tag string) string {
		return strings.Replace(manifest(tag), "metadata:\n  name: web", "metadata:\n  name: web\n  annotations: {dr.backstay.dev/override: hotfix}", 1)
	}
	at := s.get("web").ResourceVersion
	k.RunWith(with("2"), apply...)
	s.is(s.get("web"), s.overridden("2", "hotfix", at))
	if result := k.Try(with("2"), apply...); result.Code == 0 || !strings.Contains(result.Stderr, "there is nothing to override") {
		t.Errorf("code %d: %s", result.Code, result.Stderr)
	}
}

func TestOverrideThatWasStoredBeforeThePlanAsksForNothing(t *testing.T) {
	t.Parallel()
	s := newEmptyShopOn(t, plane)
	d := s.deployment("web")
	d.Annotations = map[string]string{v1alpha1.AnnotationOverride: "left over"}
	s.create(d)
	s.enforce(s.plan("shop", v1alpha1.GateModeHold))
	// Whoever touches it, it is neither honoured nor in the way, and is taken away.
	s.is(s.mustPatch(s.as(s.admin), image("2")), s.held("2"))
}

func TestRecordOfAnOverrideIsNotReplayedByRolloutUndo(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.revision(1)
	admin := s.as(s.admin)
	s.mustPatch(admin, overrideWith("2", "hotfix"))
	s.revision(2) // has the record among its annotations
	s.mustPatch(s.operator(), fmt.Sprintf(`{"metadata":{"annotations":{%q:null,%q:null,%q:null}}}`,
		v1alpha1.AnnotationOverrideReason, v1alpha1.AnnotationOverriddenBy, v1alpha1.AnnotationOverriddenAt))
	s.mustPatch(admin, image("3"))
	s.release()
	s.revision(3)
	k := s.cp.Kubectl(t, s.admin, s.namespace)
	s.warned(k.Run("rollout", "undo", "deployment/web", "--to-revision=2"))
	s.is(s.get("web"), s.held("2"))
}

func TestRecordOfAnOverrideCannotBeForged(t *testing.T) {
	t.Parallel()
	record := func(user, at string) string {
		return fmt.Sprintf(`{"metadata":{"annotations":{%q:"forged",%q:%q,%q:%q}},`, v1alpha1.AnnotationOverrideReason,
			v1alpha1.AnnotationOverriddenBy, user, v1alpha1.AnnotationOverriddenAt, at)
	}
	t.Run("a record of another write is dropped", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		s.is(s.mustPatch(s.as(s.developer), record("dev", "1")+image("2")[1:]), s.held("2"))
		s.is(s.mustPatch(s.as(s.developer), record("dev", "1")+`"spec":{"replicas":3}}`), s.held("2"))
	})
	t.Run("a record of another user is dropped", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		s.is(s.mustPatch(s.as(s.admin), record("dev", s.get("web").ResourceVersion+"/shop")+image("2")[1:]), s.held("2"))
	})
	t.Run("one that fits is dropped without the verb", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		s.is(s.mustPatch(s.as(s.developer), record("dev", s.get("web").ResourceVersion+"/shop")+image("2")[1:]), s.held("2"))
	})
	t.Run("with the verb it is an override, and recorded as such", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		at := s.get("web").ResourceVersion
		s.is(s.mustPatch(s.as(s.admin), record("admin-of-"+s.namespace, at+"/shop")+image("2")[1:]), s.overridden("2", "forged", at))
	})
	t.Run("a true record cannot be rewritten", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		at := s.get("web").ResourceVersion
		s.mustPatch(s.as(s.admin), overrideWith("2", "true"))
		s.is(s.mustPatch(s.as(s.developer), record("dev", "1")+`"spec":{"replicas":3}}`), s.overridden("2", "true", at))
	})
	t.Run("a record may be removed", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		s.mustPatch(s.as(s.admin), overrideWith("2", "true"))
		s.is(s.mustPatch(s.as(s.developer), fmt.Sprintf(`{"metadata":{"annotations":{%q:null,%q:null,%q:null}}}`,
			v1alpha1.AnnotationOverrideReason, v1alpha1.AnnotationOverriddenBy, v1alpha1.AnnotationOverriddenAt)), free("2"))
	})
}

// Nobody is asked about a write while no plan looks: the record of an override that was never asked for would explain the
// start when the label is back.
func TestRecordOfAnOverrideCannotBeForgedWhileNoPlanLooks(t *testing.T) {
	t.Parallel()
	forged := func(s *shop, user, plan string) string {
		return fmt.Sprintf(`{"metadata":{"annotations":{%q:"forged",%q:%q,%q:%q}},`, v1alpha1.AnnotationOverrideReason, v1alpha1.AnnotationOverriddenBy,
			user, v1alpha1.AnnotationOverriddenAt, s.get("web").ResourceVersion+plan) + image("2")[1:]
	}
	for _, plan := range []string{"", "/", "/shop", "/other", "/" + strings.Repeat("x", 300)} {
		t.Run("naming "+plan, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			dev := s.as(s.developer)
			s.mustPatch(dev, `{"metadata":{"labels":null}}`)
			s.is(s.mustPatch(dev, forged(s, "dev", plan)), free("2"))
			s.is(s.mustPatch(dev, `{"metadata":{"labels":{"app.kubernetes.io/part-of":"shop"}}}`), free("2"))
		})
	}
	t.Run("but by whoever may override, in his own name", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		admin := s.as(s.admin)
		at := s.mustPatch(admin, `{"metadata":{"labels":null}}`).ResourceVersion
		s.is(s.mustPatch(admin, forged(s, "admin-of-"+s.namespace, "/shop")), s.overridden("2", "forged", at))
	})
}

// Creation is not held, and nobody is asked about it.
func TestNewDeploymentBringsNoRecord(t *testing.T) {
	t.Parallel()
	s := newEmptyShopOn(t, plane)
	d := s.deployment("web")
	d.Annotations = map[string]string{
		v1alpha1.AnnotationOverride: "go", v1alpha1.AnnotationOverrideReason: "go", v1alpha1.AnnotationOverriddenBy: "cfo",
		v1alpha1.AnnotationOverriddenAt: "/shop", v1alpha1.AnnotationAdmitted: "{}", v1alpha1.AnnotationHeldReason: "none", "note": "stays",
	}
	s.create(d)
	s.is(d, free("1"))
	if d.Annotations["note"] != "stays" {
		t.Errorf("a foreign annotation was taken: %v", d.Annotations)
	}
}

// Stored it would do nothing, and whoever asked for it in an emergency would not know.
func TestOverrideThatNothingHonoursIsRefused(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*shop){
		"no plan":              func(*shop) {},
		"a plan that observes": func(s *shop) { s.create(s.plan("shop", v1alpha1.GateModeObserve)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newEmptyShopOn(t, plane)
			prepare(s)
			s.create(s.deployment("web"))
			_, err := s.patch(s.as(s.admin), overrideWith("2", "go"))
			refused(t, err, "nothing honoured the override of web, and nothing was stored",
				"Either no DRPlan holds it, and the write needs no annotation dr.backstay.dev/override; or the plan or the policy "+
					"backstay-hold-deployments is too new for this API server: retry in a few seconds")
			s.is(s.get("web"), free("1"))
		})
	}
}
