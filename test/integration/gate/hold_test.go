// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

func TestChangedTemplateIsHeldInTheWriteThatChangesIt(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	dev := s.as(s.developer)
	s.is(s.mustPatch(dev, image("2")), s.held("2"))
	s.is(s.get("web"), s.held("2"))
}

func TestEveryKindOfPatchIsHeld(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	dev := s.as(s.developer)
	const strategic = `{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"shop/web:2"}]}}}}`
	const operations = `[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"shop/web:2"}]`
	for kind, body := range map[types.PatchType]string{
		types.StrategicMergePatchType: strategic,
		types.MergePatchType:          image("2"),
		types.JSONPatchType:           operations,
	} {
		t.Run(string(kind), func(t *testing.T) {
			s := s.in(t)
			s.reset()
			d := s.get("web")
			if err := dev.Patch(t.Context(), d, client.RawPatch(kind, []byte(body))); err != nil {
				t.Fatal(err)
			}
			s.is(d, s.held("2"))
		})
	}
}

func TestUpdateIsHeld(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	d := s.get("web")
	d.Spec.Template.Spec.Containers[0].Image = "shop/web:2"
	if err := s.as(s.developer).Update(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	s.is(d, s.held("2"))
}

func TestPipelineIsHeldLikeAPerson(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.is(s.mustPatch(s.as(s.cp.Pipeline(t, "deployer", s.namespace)), image("2")), s.held("2"))
}

func TestClusterAdminIsHeldToo(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.is(s.mustPatch(s.cp.Client, image("2")), s.held("2"))
}

func TestWhateverChangesThePodSpecIsHeld(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"environment": `{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"shop/web:1","env":[{"name":"A","value":"b"}]}]}}}}`,
		"resources":   `{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"shop/web:1","resources":{"limits":{"cpu":"1"}}}]}}}}`,
		"volume":      `{"spec":{"template":{"spec":{"volumes":[{"name":"v","emptyDir":{}}]}}}}`,
		"account":     `{"spec":{"template":{"spec":{"serviceAccountName":"other"}}}}`,
		"node":        `{"spec":{"template":{"spec":{"nodeSelector":{"disk":"ssd"}}}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.is(s.mustPatch(s.as(s.developer), body), s.held("1"))
		})
	}
}

func TestRepeatedEditsStayHeld(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	dev := s.as(s.developer)
	for tag := 2; tag < 8; tag++ {
		s.is(s.mustPatch(dev, image(fmt.Sprint(tag))), s.held(fmt.Sprint(tag)))
	}
	// Back to what runs: it is for the operator to see that nothing is to be rolled out.
	s.is(s.mustPatch(dev, image("1")), s.held("1"))
}

func TestDryRunIsAnsweredHeldAndStoresNothing(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	before := s.get("web").ResourceVersion
	s.is(s.mustPatch(s.as(s.developer), image("2"), client.DryRunAll), s.held("2"))
	after := s.get("web")
	s.is(after, free("1"))
	if after.ResourceVersion != before {
		t.Error("the dry run changed what is stored")
	}
}

func TestResumeWhileHeldIsHeldAgain(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	dev := s.as(s.developer)
	s.mustPatch(dev, image("2"))
	for name, body := range map[string]string{
		"false":                    `{"spec":{"paused":false}}`,
		"removed":                  `{"spec":{"paused":null}}`,
		"with the mark taken away": fmt.Sprintf(`{"metadata":{"annotations":{%q:null}},"spec":{"paused":null}}`, v1alpha1.AnnotationHeldBy),
		"the mark forged":          fmt.Sprintf(`{"metadata":{"annotations":{%q:"elsewhere/shop"}},"spec":{"paused":null}}`, v1alpha1.AnnotationHeldBy),
	} {
		t.Run(name, func(t *testing.T) {
			s := s.in(t)
			s.is(s.mustPatch(dev, body), s.held("2"))
		})
	}
}

func TestReleaseByTheOperatorLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.mustPatch(s.as(s.developer), image("2"))
	s.release()
	d := s.get("web")
	s.is(d, free("2"))
	for _, entry := range d.ManagedFields {
		if owns(entry, "f:paused") {
			t.Errorf("%s owns spec.paused", entry.Manager)
		}
	}
	s.is(s.mustPatch(s.as(s.developer), image("3")), s.held("3"))
}

func TestLabelTakenOffInTheSameWriteHoldsAllTheSame(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	dev := s.as(s.developer)
	const label = `"metadata":{"labels":{"app.kubernetes.io/part-of":null}}`
	s.is(s.mustPatch(dev, `{`+label+`,`+image("2")[1:]), s.held("2"))
	// The plan no longer selects it by any label, and holds it still.
	s.is(s.mustPatch(dev, `{"spec":{"paused":false}}`), s.held("2"))
	s.is(s.mustPatch(dev, image("3")), s.held("3"))
	s.release()
	s.is(s.mustPatch(dev, image("4")), free("4"))
}

func TestLabelPutOnInTheSameWriteHolds(t *testing.T) {
	t.Parallel()
	s := newEmptyShopOn(t, plane)
	s.enforce(s.plan("shop", v1alpha1.GateModeHold))
	d := s.deployment("web")
	d.Labels = nil
	s.create(d)
	s.is(s.mustPatch(s.as(s.developer), `{"metadata":{"labels":{"app.kubernetes.io/part-of":"shop"}},`+image("2")[1:]), s.held("2"))
}

func TestEveryLabelOfThePlanMustMatch(t *testing.T) {
	t.Parallel()
	s := newEmptyShopOn(t, plane)
	plan := s.plan("shop", v1alpha1.GateModeHold)
	plan.Spec.Workloads.MatchLabels["tier"] = "front"
	s.enforce(plan)
	s.create(s.deployment("web"))
	dev := s.as(s.developer)
	s.is(s.mustPatch(dev, image("2")), free("2"))
	s.mustPatch(dev, `{"metadata":{"labels":{"tier":"back"}}}`)
	s.is(s.mustPatch(dev, image("3")), free("3"))
	s.mustPatch(dev, `{"metadata":{"labels":{"tier":"front"}}}`)
	s.is(s.mustPatch(dev, image("4")), s.held("4"))
}

// owns reports whether an entry of managedFields names a field of the spec.
func owns(entry metav1.ManagedFieldsEntry, field string) bool {
	return entry.FieldsV1 != nil && containsKey(entry.FieldsV1.GetRawBytes(), "f:spec", field)
}
