// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/workload"
)

// strategies are what users write, each with what a hold of it records.
var strategies = map[string]struct{ strategy, wish string }{
	"nothing":                    {`{}`, "0"},
	"a rolling update":           {`{"type":"RollingUpdate"}`, "none"},
	"a partition":                {`{"type":"RollingUpdate","rollingUpdate":{"partition":2}}`, "2"},
	"a partition of everything":  {`{"rollingUpdate":{"partition":2147483647},"type":"RollingUpdate"}`, "2147483647"},
	"several pods at once":       {`{"type":"RollingUpdate","rollingUpdate":{"maxUnavailable":"50%"}}`, "0"},
	"a canary of several":        {`{"type":"RollingUpdate","rollingUpdate":{"partition":1,"maxUnavailable":2}}`, "1"},
	"an empty rolling update":    {`{"type":"RollingUpdate","rollingUpdate":{}}`, "0"},
	"the default, in the open":   {`{"type":"RollingUpdate","rollingUpdate":{"partition":0,"maxUnavailable":1}}`, "0"},
	"a partition above all pods": {`{"type":"RollingUpdate","rollingUpdate":{"partition":1000}}`, "1000"},
}

// statefulSet is "db", which the plan "shop" selects, with an update strategy.
func (s *shop) statefulSet(strategy, tag string) *appsv1.StatefulSet {
	d := &appsv1.StatefulSet{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "StatefulSet"},
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "db", Labels: map[string]string{"app.kubernetes.io/part-of": "shop"}},
	}
	pods := map[string]string{"app": "db"}
	d.Spec.Replicas = new(int32(3))
	d.Spec.Selector = &metav1.LabelSelector{MatchLabels: pods}
	d.Spec.Template.Labels = pods
	d.Spec.Template.Spec.Containers = []corev1.Container{{Name: "db", Image: "shop/db:" + tag}}
	if err := json.Unmarshal([]byte(strategy), &d.Spec.UpdateStrategy); err != nil {
		s.t.Fatal(err)
	}
	return d
}

// newSet creates it, as its developer.
func (s *shop) newSet(strategy string) *appsv1.StatefulSet {
	s.t.Helper()
	d := s.statefulSet(strategy, "1")
	if err := s.as(s.developer).Create(s.t.Context(), d); err != nil {
		s.t.Fatal(err)
	}
	return d
}

// patchSet sends a JSON merge patch to it and returns the answer.
func (s *shop) patchSet(user client.Client, body string, options ...client.PatchOption) (*appsv1.StatefulSet, error) {
	d := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "db"}}
	err := user.Patch(s.t.Context(), d, client.RawPatch(types.MergePatchType, []byte(body)), options...)
	return d, err
}

func (s *shop) mustPatchSet(user client.Client, body string, options ...client.PatchOption) *appsv1.StatefulSet {
	s.t.Helper()
	d, err := s.patchSet(user, body, options...)
	if err != nil {
		s.t.Fatalf("patch %s: %v", body, err)
	}
	return d
}

// setHeld fails the test unless it is held, and records what its user wants.
func (s *shop) setHeld(d *appsv1.StatefulSet, wish string) {
	s.t.Helper()
	rolling := d.Spec.UpdateStrategy.RollingUpdate
	if rolling == nil || rolling.Partition == nil || *rolling.Partition != math.MaxInt32 {
		s.t.Errorf("it is not held: %+v", rolling)
	}
	want := map[string]string{v1alpha1.AnnotationHeldBy: s.namespace + "/shop", v1alpha1.AnnotationPartition: wish}
	got := ours(d)
	delete(got, v1alpha1.AnnotationAdmitted) // of an earlier release
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Errorf("its marks (-want +got):\n%s", diff)
	}
}

// ours are the annotations of ours.
func ours(d client.Object) map[string]string {
	out := maps.Clone(d.GetAnnotations())
	maps.DeleteFunc(out, func(key, _ string) bool { return !strings.HasPrefix(key, v1alpha1.GroupName+"/") })
	return out
}

// dbImage is a merge patch that changes the template of "db".
func dbImage(tag string) string {
	return fmt.Sprintf(`{"spec":{"template":{"spec":{"containers":[{"name":"db","image":"shop/db:%s"}]}}}}`, tag)
}

func partition(n any) string {
	raw, _ := json.Marshal(n)
	return fmt.Sprintf(`{"spec":{"updateStrategy":{"rollingUpdate":{"partition":%s}}}}`, raw)
}

// releaseSet lets go of "db" as the operator does.
func (s *shop) releaseSet(d *appsv1.StatefulSet) *appsv1.StatefulSet {
	s.t.Helper()
	v := workload.StatefulSet.View(d, nil)
	return s.mustPatchSet(s.operator(), string(workload.ReleasePatch(&v, workload.Admission{Plan: "shop"})))
}

// owners are who owns what of the update strategy.
func owners(d *appsv1.StatefulSet) map[string]string {
	out := map[string]string{}
	for _, entry := range d.ManagedFields {
		for _, field := range []string{"f:type", "f:rollingUpdate"} {
			if entry.FieldsV1 != nil && containsKey(entry.FieldsV1.GetRawBytes(), "f:spec", "f:updateStrategy", field) {
				out[field] += entry.Manager + " "
			}
		}
		if entry.FieldsV1 != nil && containsKey(entry.FieldsV1.GetRawBytes(), "f:spec", "f:updateStrategy", "f:rollingUpdate", "f:partition") {
			out["f:partition"] += entry.Manager + " "
		}
	}
	return out
}

func TestStatefulSetComesBackFromAHoldAsItWas(t *testing.T) {
	t.Parallel()
	for name, test := range strategies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			was := s.newSet(test.strategy)
			held := s.mustPatchSet(s.as(s.developer), dbImage("2"))
			s.setHeld(held, test.wish)
			s.setHeld(s.mustPatchSet(s.as(s.developer), dbImage("3")), test.wish)
			held = s.mustPatchSet(s.as(s.developer), `{"metadata":{"labels":{"a":"b"}}}`)
			s.setHeld(held, test.wish)
			now := s.releaseSet(held)
			was.Spec.Template.Spec.Containers[0].Image = "shop/db:3"
			if diff := cmp.Diff(was.Spec, now.Spec); diff != "" {
				t.Errorf("the spec (-was +now):\n%s", diff)
			}
			if diff := cmp.Diff(owners(was), owners(now)); diff != "" {
				t.Errorf("who owns the strategy (-was +now):\n%s", diff)
			}
			if marks := ours(now); len(marks) != 1 || marks[v1alpha1.AnnotationAdmitted] == "" {
				t.Errorf("left behind: %v", marks)
			}
		})
	}
}

func TestStatefulSetPartitionChangedWhileHeldIsRecordedAndHeldAgain(t *testing.T) {
	t.Parallel()
	without := func(keys ...string) string {
		parts := make([]string, len(keys))
		for i, key := range keys {
			parts[i] = fmt.Sprintf(`%q:null`, key)
		}
		return `{"metadata":{"annotations":{` + strings.Join(parts, ",") + `}}}`
	}
	for name, test := range map[string]struct{ body, wish string }{
		"lowered":                        {partition(1), "1"},
		"to what rolls out":              {partition(0), "0"},
		"removed":                        {partition(nil), "0"},
		"the rolling update removed":     {`{"spec":{"updateStrategy":{"rollingUpdate":null}}}`, "none"},
		"the strategy removed":           {`{"spec":{"updateStrategy":null}}`, "0"},
		"with another template":          {strings.Replace(dbImage("3"), `{"spec":{`, partition(5)[:len(partition(5))-2]+`,`, 1), "5"},
		"to the hold itself":             {partition(math.MaxInt32), "2"},
		"the mark dropped":               {without(v1alpha1.AnnotationHeldBy), "2"},
		"the record dropped":             {without(v1alpha1.AnnotationPartition), "2"},
		"all marks dropped":              {without(v1alpha1.AnnotationHeldBy, v1alpha1.AnnotationPartition), "2"},
		"the record made something else": {annotation(v1alpha1.AnnotationPartition, "x"), "2"},
		"the record made too large":      {annotation(v1alpha1.AnnotationPartition, "9999999999"), "2"},
		"the record made negative":       {annotation(v1alpha1.AnnotationPartition, "-1"), "2"},
		"the record made empty":          {annotation(v1alpha1.AnnotationPartition, ""), "2"},
		"scaled":                         {`{"spec":{"replicas":9}}`, "2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.newSet(`{"type":"RollingUpdate","rollingUpdate":{"partition":2}}`)
			dev := s.as(s.developer)
			s.mustPatchSet(dev, dbImage("2"))
			s.setHeld(s.mustPatchSet(dev, test.body), test.wish)
			s.setHeld(s.mustPatchSet(dev, annotation("note", "x")), test.wish)
		})
	}
}

func TestStatefulSetReplacedWhileHeldIsHeldAgain(t *testing.T) {
	t.Parallel()
	for name, test := range strategies {
		if test.wish == fmt.Sprint(math.MaxInt32) {
			continue // that says nothing of what the user wants
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.newSet(`{"type":"RollingUpdate","rollingUpdate":{"partition":7}}`)
			dev := s.as(s.developer)
			s.mustPatchSet(dev, dbImage("2"))
			d := s.statefulSet(test.strategy, "2")
			if err := dev.Update(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			s.setHeld(d, test.wish)
		})
	}
}

// The API server asks about every plan of a namespace, and each finds what the one before has made of the write.
func TestStatefulSetOfSeveralPlansKeepsItsRecord(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	also := s.plan("also", v1alpha1.GateModeHold)
	also.Spec.Gate.RestartAnnotations = []string{"example.com/restart"}
	s.enforce(also)
	s.newSet(`{"type":"RollingUpdate","rollingUpdate":{"partition":2}}`)
	dev := s.as(s.developer)
	for _, step := range []struct{ body, wish string }{
		{`{"spec":{"template":{"metadata":{"annotations":{"example.com/restart":"now"}}}}}`, "2"}, // a restart to one of them
		{partition(3), "3"},
		{dbImage("2"), "3"},
		{partition(4), "4"},
	} {
		d := s.mustPatchSet(dev, step.body)
		if got := d.Annotations[v1alpha1.AnnotationPartition]; got != step.wish || *d.Spec.UpdateStrategy.RollingUpdate.Partition != math.MaxInt32 {
			t.Errorf("%s: %q is recorded, want %q", step.body, got, step.wish)
		}
	}
}

func TestStatefulSetKeepsItsRecordWhileNoPlanLooks(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.newSet(`{"type":"RollingUpdate","rollingUpdate":{"partition":2}}`)
	dev := s.as(s.developer)
	s.mustPatchSet(dev, dbImage("2"))
	if err := s.cp.Client.Delete(t.Context(), s.plan("shop", v1alpha1.GateModeHold)); err != nil {
		t.Fatal(err)
	}
	var d *appsv1.StatefulSet
	for _, body := range []string{
		annotation(v1alpha1.AnnotationPartition, "x"), `{"metadata":{"annotations":null}}`, annotation("note", "x"),
	} {
		d = s.mustPatchSet(dev, body)
		s.setHeld(d, "2")
	}
	if now := s.releaseSet(d); *now.Spec.UpdateStrategy.RollingUpdate.Partition != 2 {
		t.Errorf("released with %+v", now.Spec.UpdateStrategy)
	}
}

func TestStatefulSetCannotBeHeldWithoutARollingUpdate(t *testing.T) {
	t.Parallel()
	const want = "cannot hold db"
	onDelete := func(t *testing.T) *shop {
		s := newShop(t).in(t)
		s.newSet(`{"type":"OnDelete"}`)
		return s
	}
	t.Run("a changed template is refused", func(t *testing.T) {
		t.Parallel()
		s := onDelete(t)
		_, err := s.patchSet(s.as(s.developer), dbImage("2"))
		refused(t, err, want, "Change spec.updateStrategy.type to RollingUpdate first")
	})
	t.Run("also where the same write makes it one", func(t *testing.T) {
		t.Parallel()
		s := onDelete(t)
		_, err := s.patchSet(s.as(s.developer), strings.Replace(dbImage("2"), `{"spec":{`, `{"spec":{"updateStrategy":{"type":"RollingUpdate"},`, 1))
		refused(t, err, want)
	})
	t.Run("first the strategy, then the template", func(t *testing.T) {
		t.Parallel()
		s := onDelete(t)
		s.mustPatchSet(s.as(s.developer), `{"spec":{"updateStrategy":{"type":"RollingUpdate"}}}`)
		s.setHeld(s.mustPatchSet(s.as(s.developer), dbImage("2")), "none")
	})
	t.Run("everything else is let through", func(t *testing.T) {
		t.Parallel()
		s := onDelete(t)
		d := s.mustPatchSet(s.as(s.developer), `{"metadata":{"annotations":{"a":"b"}},"spec":{"replicas":5}}`)
		if len(ours(d)) > 0 || d.Spec.UpdateStrategy.RollingUpdate != nil {
			t.Errorf("%v %+v", d.Annotations, d.Spec.UpdateStrategy)
		}
	})
	t.Run("an override is honoured", func(t *testing.T) {
		t.Parallel()
		s := onDelete(t)
		d := s.mustPatchSet(s.as(s.admin), `{"metadata":{"annotations":{"`+v1alpha1.AnnotationOverride+`":"go"}},`+dbImage("2")[1:])
		if ours(d)[v1alpha1.AnnotationOverrideReason] != "go" || d.Spec.UpdateStrategy.RollingUpdate != nil {
			t.Errorf("%v %+v", d.Annotations, d.Spec.UpdateStrategy)
		}
	})
	t.Run("and a held one does not become one", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		s.newSet(`{}`)
		s.mustPatchSet(s.as(s.developer), dbImage("2"))
		_, err := s.patchSet(s.as(s.developer), `{"spec":{"updateStrategy":{"type":"OnDelete","rollingUpdate":null}}}`)
		refused(t, err, want)
	})
	t.Run("the probe of the operator is refused", func(t *testing.T) {
		t.Parallel()
		s := onDelete(t)
		_, err := s.patchSet(s.operator(), dbImage("2"), client.DryRunAll)
		refused(t, err, want)
	})
}

// Whoever applies the partition finds no conflict, while it is held and afterwards, and still owns it.
func TestStatefulSetIsAppliedServerSideWithoutConflict(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	apply := func(strategy, tag string) *appsv1.StatefulSet {
		d := s.statefulSet(strategy, tag)
		//nolint:staticcheck // an apply configuration would have to be built of the same manifest
		if err := s.as(s.developer).Patch(t.Context(), d, client.Apply, client.FieldOwner("gitops")); err != nil {
			t.Fatal(err)
		}
		return d
	}
	const two, three = `{"type":"RollingUpdate","rollingUpdate":{"partition":2}}`, `{"type":"RollingUpdate","rollingUpdate":{"partition":3}}`
	apply(two, "1")
	s.setHeld(apply(two, "2"), "2")
	s.setHeld(apply(three, "2"), "3")
	d := s.releaseSet(apply(two, "2"))
	if got := owners(d)["f:partition"]; *d.Spec.UpdateStrategy.RollingUpdate.Partition != 2 || got != "gitops " {
		t.Errorf("released with %+v, owned by %q", d.Spec.UpdateStrategy.RollingUpdate, got)
	}
	if d = apply(three, "2"); *d.Spec.UpdateStrategy.RollingUpdate.Partition != 3 || len(ours(d)) != 1 {
		t.Errorf("applied: %+v %v", d.Spec.UpdateStrategy.RollingUpdate, ours(d))
	}
	// What is taken out of the manifest while it is held is not there afterwards.
	s.setHeld(apply(three, "3"), "3")
	s.setHeld(apply(`{"type":"RollingUpdate"}`, "3"), "none")
}

func TestStatefulSetOverrideGivesThePartitionBack(t *testing.T) {
	t.Parallel()
	for name, test := range strategies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			was := s.newSet(test.strategy)
			s.mustPatchSet(s.as(s.developer), dbImage("2"))
			now := s.mustPatchSet(s.as(s.admin), annotation(v1alpha1.AnnotationOverride, "go"))
			if diff := cmp.Diff(was.Spec.UpdateStrategy, now.Spec.UpdateStrategy); diff != "" {
				t.Errorf("the strategy (-was +now):\n%s", diff)
			}
			if marks := ours(now); len(marks) != 3 || marks[v1alpha1.AnnotationOverrideReason] != "go" {
				t.Errorf("marks: %v", marks)
			}
		})
	}
}
