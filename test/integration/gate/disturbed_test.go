// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/gate"
	"github.com/backstay-dr/backstay/internal/workload"
	"github.com/backstay-dr/backstay/test/integration/harness"
)

const (
	nothingHeld = "but nothing held this write, and nothing was stored. Where the plan or the policy backstay-hold-deployments is only moments old, retry in a few seconds"
	notStrict   = "is labelled dr.backstay.dev/gate=strict, and no DRPlan was asked about this change of the pod template of web; nothing was stored"
)

// TestDisturbedGate takes the gate apart, piece by piece, on a control plane of its own.
func TestDisturbedGate(t *testing.T) {
	t.Parallel()
	cp := harness.StartForTest(t, harness.Options{})
	if err := cp.InstallGate(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Run("an altered policy is noticed", func(t *testing.T) { alteredPolicyIsNoticed(t, cp) })
	t.Run("a policy replaced while updates arrive lets none escape", func(t *testing.T) { replacedWhileUpdatesArrive(t, cp) })
	t.Run("a missing policy is made up for by the backstop", func(t *testing.T) { backstopAlone(t, cp) })
	t.Run("without the backstop an override needs the verb all the same", func(t *testing.T) { withoutBackstop(t, cp) })
	t.Run("without the policy that restores the operator does", func(t *testing.T) { withoutThePolicyThatRestores(t, cp) })
	t.Run("a deleted CRD disturbs no update", func(t *testing.T) { deletedCRD(t, cp) })
	t.Run("strict is strict while the CRD comes back", func(t *testing.T) { strictWhileTheCRDComesBack(t, cp) })
}

func alteredPolicyIsNoticed(t *testing.T, cp *harness.ControlPlane) {
	want := gate.Objects(gate.DefaultIdentity())
	before := installed(t, cp)
	if differences := gate.Compare(before, want); len(differences) > 0 {
		t.Fatalf("as installed: %v", differences)
	}
	binding := want[len(want)-1].(client.Object)
	cp.MustPatch(t, binding, `{"metadata":{"labels":{"note":"x"}}}`)
	if gate.Fingerprint(installed(t, cp)) != gate.Fingerprint(before) {
		t.Error("a label changed the fingerprint")
	}
	cp.MustPatch(t, binding, `{"spec":{"validationActions":["Audit"]}}`)
	after := installed(t, cp)
	if gate.Fingerprint(after) == gate.Fingerprint(before) {
		t.Error("another spec has the same fingerprint")
	}
	differences := gate.Compare(after, want)
	if len(differences) != 1 || differences[0].Path != "spec.validationActions[0]" {
		t.Errorf("differences: %v", differences)
	}
	cp.MustPatch(t, binding, `{"spec":{"validationActions":["Deny"]}}`)
}

// installed reads the policies and bindings as the operator does.
func installed(t *testing.T, cp *harness.ControlPlane) []gate.Object {
	t.Helper()
	objects := gate.Objects(gate.DefaultIdentity())
	for _, object := range objects {
		if err := cp.Client.Get(t.Context(), client.ObjectKeyFromObject(object.(client.Object)), object.(client.Object)); err != nil {
			t.Fatal(err)
		}
	}
	return objects
}

// holdPolicy is the policy that mutates, and its binding.
func holdPolicy() []client.Object {
	objects := gate.Objects(gate.DefaultIdentity())
	return []client.Object{objects[0].(client.Object), objects[1].(client.Object)}
}

// Without the policy that holds, for as long as it takes to reach admission again, an update is refused, never stored.
func replacedWhileUpdatesArrive(t *testing.T, cp *harness.ControlPlane) {
	probe := newShopOn(t, cp)
	stop := updatesArrive(newShopOn(t, cp))
	for range 2 {
		for _, object := range holdPolicy() {
			if err := cp.Client.Delete(t.Context(), object); err != nil {
				t.Error(err)
			}
		}
		probe.eventually("refused", func() error { return probe.isRefused(nothingHeld) })
		for _, object := range holdPolicy() {
			probe.create(object)
		}
		probe.eventually("held again", probe.isHeldAgain)
	}
	held, refused := stop()
	t.Logf("%d updates held, %d refused", held, refused)
	if held == 0 || refused == 0 {
		t.Error("the updates did not meet both")
	}
}

// updatesArrive changes the template of "web", again and again, and has the operator release it each time. It fails the
// test for every update that is neither held nor refused. Stopped, it tells how many were.
func updatesArrive(s *shop) (stop func() (held, refused int)) {
	dev, operator := s.as(s.developer), s.operator()
	var held, refused int
	stopped, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for tag := 2; ; tag++ {
			select {
			case <-stopped:
				return
			default:
			}
			switch d, err := s.patch(dev, image(fmt.Sprint(tag))); {
			case err == nil && gate.ProbeHeld(workload.Deployment, d, "shop"):
				held++
				if _, err := s.patch(operator, letGo); err != nil {
					s.t.Errorf("release %d: %v", tag, err)
				}
			case err != nil && strings.Contains(err.Error(), nothingHeld):
				refused++
			default:
				s.t.Errorf("update %d: %+v, %v", tag, d.Annotations, err)
			}
		}
	}()
	end := sync.OnceFunc(func() { close(stopped); <-done })
	s.t.Cleanup(end)
	return func() (int, int) { end(); return held, refused }
}

func backstopAlone(t *testing.T, cp *harness.ControlPlane) {
	s, probe := newShopOn(t, cp), newShopOn(t, cp)
	dev, admin := s.as(s.developer), s.as(s.admin)
	s.mustPatch(dev, image("2"))
	for _, object := range holdPolicy() {
		if err := cp.Client.Delete(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	probe.eventually("refused", func() error { return probe.isRefused(nothingHeld) })
	s.backstopRefuses(admin)
	s.is(s.mustPatch(dev, annotation(v1alpha1.AnnotationOverriddenBy, "me")), s.held("2"))
	// The mark of the hold is put back without a plan.
	s.is(s.mustPatch(dev, annotation(v1alpha1.AnnotationHeldBy, "elsewhere/shop")), s.held("2"))
	s.is(s.mustPatch(dev, fmt.Sprintf(`{"metadata":{"annotations":{%q:null}}}`, v1alpha1.AnnotationHeldBy)), s.held("2"))
	// A record of this very write is what the missing policy would have made, and nobody who may not override can make one.
	s.is(s.mustPatch(dev, fmt.Sprintf(`{"metadata":{"resourceVersion":%q,"annotations":{%q:%q,%q:"dev",%q:"x"}}}`, s.get("web").ResourceVersion,
		v1alpha1.AnnotationOverriddenAt, s.get("web").ResourceVersion+"/shop", v1alpha1.AnnotationOverriddenBy, v1alpha1.AnnotationOverrideReason)), s.held("2"))
	// A change of what is held already is as held as before. What concerns no rollout goes through, and the release.
	s.is(s.mustPatch(dev, image("3")), s.held("3"))
	s.mustPatch(dev, `{"spec":{"replicas":3}}`)
	s.release()
	s.is(s.get("web"), free("3"))
	_, err := s.patch(dev, image("4"))
	refused(t, err, nothingHeld)
	for _, object := range holdPolicy() {
		s.create(object)
	}
	s.eventually("held again", s.isHeldAgain)
}

// backstopRefuses tries every way out of a hold that the missing policy would have closed.
func (s *shop) backstopRefuses(user client.Client) {
	s.t.Helper()
	for name, body := range map[string]string{
		"a resume":               `{"spec":{"paused":false}}`,
		"a resume with a change": `{"spec":{"paused":false,` + image("3")[len(`{"spec":{`):],
	} {
		s.t.Run(name, func(t *testing.T) {
			_, err := s.in(t).patch(user, body)
			refused(t, err, nothingHeld)
		})
	}
	s.t.Run("an override, though allowed", func(t *testing.T) {
		s := s.in(t)
		_, err := s.patch(user, strings.Replace(overrideWith("3", "go"), `"spec":{`, `"spec":{"paused":false,`, 1))
		refused(t, err, "nothing honoured the override of web, and nothing was stored", "retry in a few seconds")
	})
}

// Nothing denies the override then. It stays without effect, also for the privileged user who touches the workload next.
func withoutBackstop(t *testing.T, cp *harness.ControlPlane) {
	s := newShopOn(t, cp)
	dev := s.as(s.developer)
	const audit, deny = `{"spec":{"validationActions":["Audit"]}}`, `{"spec":{"validationActions":["Deny"]}}`
	backstop := &admissionv1.ValidatingAdmissionPolicyBinding{ObjectMeta: metav1.ObjectMeta{Name: "backstay-backstop-deployments"}}
	cp.MustPatch(t, backstop, audit)
	asks := func() error {
		_, err := s.patch(dev, overrideWith("3", "x"), client.DryRunAll)
		return err
	}
	s.eventually("nothing denies", asks)
	want := s.held("2")
	want.Annotations["override"] = "please"
	s.is(s.mustPatch(dev, overrideWith("2", "please")), want)
	s.is(s.mustPatch(s.as(s.admin), image("3")), s.held("3"))
	s.mustPatch(dev, annotation(v1alpha1.AnnotationOverride, "please"))
	s.is(s.mustPatch(s.as(s.admin), `{"metadata":{"labels":{"a":"b"}}}`), s.held("3"))
	cp.MustPatch(t, backstop, deny)
	s.eventually("denied again", func() error {
		if asks() == nil {
			return errors.New("taken")
		}
		return nil
	})
}

func deletedCRD(t *testing.T, cp *harness.ControlPlane) {
	s := newShopOn(t, cp)
	dev := s.as(s.developer)
	s.mustPatch(dev, image("2"))
	plan := &v1alpha1.DRPlan{}
	if err := cp.Client.Get(t.Context(), client.ObjectKeyFromObject(s.plan("shop", "")), plan); err != nil {
		t.Fatal(err)
	}
	s.holds(plan)
	crd := &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: "drplans." + v1alpha1.GroupName}}
	if err := cp.Client.Delete(t.Context(), crd); err != nil {
		t.Fatal(err)
	}
	// A plan that holds something is not in the way of its kind.
	s.eventually("the kind is gone", func() error {
		if err := cp.Client.Get(t.Context(), client.ObjectKeyFromObject(crd), crd); client.IgnoreNotFound(err) != nil || err == nil {
			return fmt.Errorf("still there: %w", err)
		}
		return nil
	})
	for tag := 3; tag < 50; tag++ {
		s.mustPatch(dev, image(fmt.Sprint(tag)))
	}
	s.eventually("resumed", func() error { return s.resumed(dev) })
	if d := s.mustPatch(dev, image("50")); d.Spec.Paused {
		t.Errorf("held by a plan that is gone: %+v", stateOf(d))
	}
}

// absence is how long the kind DRPlan is gone: long enough for the API server to notice.
const absence = 15 * time.Second

// The API server reads the plans of a kind that came back only after a while, and knows of none until then.
func strictWhileTheCRDComesBack(t *testing.T, cp *harness.ControlPlane) {
	s := newEmptyShopOn(t, cp)
	s.strict()
	s.create(s.deployment("web"))
	s.eventually("strict", func() error { return s.isRefused(notStrict) })
	dev, refusals := s.as(s.developer), 0
	// Meanwhile it asks for them less and less often.
	for gone := time.Now().Add(absence); time.Now().Before(gone); refusals++ {
		_, err := s.patch(dev, image(fmt.Sprintf("gone-%d", refusals)))
		refused(t, err, notStrict)
	}
	harness.Eventually(t, "installed again", time.Minute, func(context.Context) error { return cp.InstallCRDs() })
	s.create(s.plan("shop", v1alpha1.GateModeHold))
	t.Logf("%d changes were refused while the kind was gone", refusals)
	refusals = 0
	harness.Eventually(t, "held again", 2*time.Minute, func(context.Context) error {
		d, err := s.patch(dev, image(fmt.Sprint(time.Now().UnixNano())))
		switch {
		case err == nil && !gate.ProbeHeld(workload.Deployment, d, "shop"):
			t.Fatalf("stored, and not held, after %d refusals: %+v", refusals, stateOf(d))
		case err != nil && !strings.Contains(err.Error(), notStrict) && !strings.Contains(err.Error(), nothingHeld):
			t.Fatal(err)
		case err != nil:
			refusals++
		}
		return err
	})
	t.Logf("%d changes were refused until the plan was known", refusals)
	// What changes no template was never in the way.
	s.mustPatch(dev, `{"spec":{"replicas":3}}`)
}

func TestStrictNamespace(t *testing.T) {
	t.Parallel()
	t.Run("without a plan refuses a changed template and nothing else", func(t *testing.T) {
		t.Parallel()
		s := newEmptyShopOn(t, plane)
		s.create(s.deployment("web"))
		s.strict()
		s.eventually("strict", func() error { return s.isRefused(notStrict) })
		dev := s.as(s.developer)
		for _, body := range []string{
			`{"spec":{"replicas":3}}`, `{"metadata":{"annotations":{"a":"b"}}}`, `{"spec":{"paused":true}}`, `{"spec":{"paused":false}}`,
			templateAnnotation(v1alpha1.AnnotationRestartedAt, "now"), `{"metadata":{"finalizers":["example.com/f"]}}`, `{"metadata":{"finalizers":null}}`,
		} {
			s.is(s.mustPatch(dev, body), state{Image: "shop/web:1", Paused: strings.Contains(body, "true")})
		}
	})
	t.Run("a mark and a pause by hand are no hold", func(t *testing.T) {
		t.Parallel()
		s := newEmptyShopOn(t, plane)
		s.create(s.deployment("web"))
		s.strict()
		s.eventually("strict", func() error { return s.isRefused(notStrict) })
		dev, mark := s.as(s.developer), `"metadata":{"annotations":{"dr.backstay.dev/held-by":"`+s.namespace+`/none"}}`
		const paused, changed = `"paused":true`, `"template":{"spec":{"hostname":"other"}}`
		_, err := s.patch(dev, "{"+mark+`,"spec":{`+paused+","+changed+"}}")
		refused(t, err, notStrict)
		s.mustPatch(dev, "{"+mark+`,"spec":{`+paused+"}}")
		_, err = s.patch(dev, `{"spec":{`+changed+"}}")
		refused(t, err, notStrict)
	})
	t.Run("with a plan holds what it selects, and lets the rest change", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		s.strict()
		other := s.deployment("other")
		other.Labels = nil
		s.create(other)
		dev := s.as(s.developer)
		s.eventually("strict", func() error {
			d := other.DeepCopy()
			err := dev.Patch(t.Context(), d, client.RawPatch("application/merge-patch+json", gate.ProbePatch(workload.Deployment)), client.DryRunAll)
			if err == nil && d.Annotations[v1alpha1.AnnotationEvaluated] != other.ResourceVersion {
				err = fmt.Errorf("not strict yet: %v", d.Annotations)
			}
			return err
		})
		for range 2 {
			other.Spec.Template.Spec.Hostname += "x"
			if err := dev.Update(t.Context(), other); err != nil || other.Spec.Paused {
				t.Errorf("paused: %t, %v", other.Spec.Paused, err)
			}
		}
		if d := s.mustPatch(dev, image("2")); !gate.ProbeHeld(workload.Deployment, d, "shop") {
			t.Errorf("not held: %+v", stateOf(d))
		}
	})
}

func TestPoliciesWithoutTheirCRDDisturbNoNamespaceButStrictOnes(t *testing.T) {
	t.Parallel()
	cp := harness.StartForTest(t, harness.Options{WithoutCRDs: true})
	s := newEmptyShopOn(t, cp)
	s.create(s.deployment("web"))
	strict := newEmptyShopOn(t, cp)
	strict.create(strict.deployment("web"))
	strict.strict()
	for _, object := range gate.Objects(gate.DefaultIdentity()) {
		s.create(object.(client.Object))
	}
	for _, step := range []string{"installed", "after a restart of the API server"} {
		strict.eventually(step, func() error { return strict.isRefused(notStrict) })
		s.is(s.mustPatch(s.as(s.developer), image("2")), free("2"))
		cp.RestartAPIServer(t)
	}
}

// strict labels the namespace so that the gate fails closed there.
func (s *shop) strict() {
	s.t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}
	s.cp.MustPatch(s.t, namespace, fmt.Sprintf(`{"metadata":{"labels":{%q:%q}}}`, v1alpha1.LabelGate, v1alpha1.GateStrict))
}

// isRefused tries a change in a dry run.
func (s *shop) isRefused(text string) error {
	_, err := s.patch(s.as(s.developer), string(gate.ProbePatch(workload.Deployment)), client.DryRunAll)
	if err == nil || !strings.Contains(err.Error(), text) {
		return fmt.Errorf("not refused by %q: %w", text, err)
	}
	return nil
}

// isHeldAgain tries a change in a dry run.
func (s *shop) isHeldAgain() error {
	d, err := s.patch(s.as(s.developer), string(gate.ProbePatch(workload.Deployment)), client.DryRunAll)
	if err == nil && !gate.ProbeHeld(workload.Deployment, d, "shop") {
		err = fmt.Errorf("not held")
	}
	return err
}
