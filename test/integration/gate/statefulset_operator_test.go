// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/gate"
	"github.com/backstay-dr/backstay/internal/workload"
	"github.com/backstay-dr/backstay/test/integration/harness"
)

func TestStatefulSetIsTheOperatorsToReleaseAndNothingElse(t *testing.T) {
	t.Parallel()
	release := fmt.Sprintf(`{"metadata":{"annotations":{%q:null,%q:null}},"spec":{"updateStrategy":STRATEGY}}`, v1alpha1.AnnotationHeldBy, v1alpha1.AnnotationPartition)
	with := func(strategy string) string { return strings.Replace(release, "STRATEGY", strategy, 1) }
	for name, test := range map[string]struct{ body, want string }{
		"the mark stays":               {partition(2), ownHold},
		"to another partition":         {with(`{"rollingUpdate":{"partition":0}}`), ownHold},
		"to no rolling update":         {with(`{"rollingUpdate":null}`), ownHold},
		"to another strategy":          {with(`{"type":"OnDelete","rollingUpdate":null}`), ownHold},
		"with more pods at once":       {with(`{"rollingUpdate":{"partition":2,"maxUnavailable":3}}`), ownHold},
		"more pods at once, and held":  {`{"spec":{"updateStrategy":{"rollingUpdate":{"maxUnavailable":3}}}}`, ownHold},
		"with replicas":                {strings.Replace(with(`{"rollingUpdate":{"partition":2}}`), `"spec":{`, `"spec":{"replicas":0,`, 1), "must not change anything else"},
		"with a template":              {dbImage("9"), "must not change anything else"},
		"as recorded":                  {with(`{"rollingUpdate":{"partition":2}}`), ""},
		"with the mark alone":          {with(`{}`), ""},
		"a reason why it waits":        {annotation(v1alpha1.AnnotationHeldReason, "waits"), ""},
		"a mark where there is a hold": {annotation(v1alpha1.AnnotationHeldBy, "NS/other"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.newSet(`{"type":"RollingUpdate","rollingUpdate":{"partition":2}}`)
			s.mustPatchSet(s.as(s.developer), dbImage("2"))
			_, err := s.patchSet(s.operator(), strings.ReplaceAll(test.body, "NS/", s.namespace+"/"))
			if test.want != "" {
				refused(t, err, test.want)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("a partition of a user", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		s.newSet(`{"type":"RollingUpdate","rollingUpdate":{"partition":2147483647}}`)
		_, err := s.patchSet(s.operator(), partition(0))
		refused(t, err, ownHold)
	})
}

// Without the policy that restores, the mark cannot go while the partition stays: the operator has to give back what is recorded.
func withoutThePolicyThatRestores(t *testing.T, cp *harness.ControlPlane) {
	s := newShopOn(t, cp)
	s.newSet(`{"type":"RollingUpdate","rollingUpdate":{"partition":2}}`)
	objects := slices.DeleteFunc(gate.Objects(gate.DefaultIdentity()), func(o gate.Object) bool { return o.GetName() != "backstay-restore-statefulsets" })
	for _, object := range objects {
		if err := cp.Client.Delete(t.Context(), object.(client.Object)); err != nil {
			t.Fatal(err)
		}
	}
	var v workload.View
	s.eventually("the mark alone is refused", func() error {
		v = workload.StatefulSet.View(s.mustPatchSet(s.as(s.developer), dbImage(fmt.Sprint(time.Now().UnixNano()))), nil)
		if _, err := s.patchSet(s.operator(), string(workload.ReleasePatch(&v, workload.Admission{}))); err == nil {
			return errors.New("it was released")
		}
		return nil
	})
	patch := workload.RestorePatch(&v, workload.Admission{}, workload.StatefulSet.Restore(&v))
	if now := s.mustPatchSet(s.operator(), string(patch)); *now.Spec.UpdateStrategy.RollingUpdate.Partition != 2 {
		t.Errorf("released with %+v", now.Spec.UpdateStrategy)
	}
	for _, object := range objects {
		s.create(object.(client.Object))
	}
}

func TestStatefulSetStatusIsNoWayToWriteMarks(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.newSet(`{}`)
	d := s.mustPatchSet(s.as(s.developer), dbImage("2"))
	err := s.cp.Client.Status().Patch(t.Context(), d, client.RawPatch(types.MergePatchType,
		[]byte(fmt.Sprintf(`{"metadata":{"annotations":{%q:null,%q:"7"}}}`, v1alpha1.AnnotationHeldBy, v1alpha1.AnnotationPartition))))
	if err != nil {
		t.Fatal(err)
	}
	s.setHeld(d, "0")
}

func TestStatefulSetHoldIsNoticed(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.newSet(`{}`)
	dev, warnings := s.listening(s.developer)
	s.mustPatchSet(dev, dbImage("2"))
	if got := fmt.Sprint(warnings.Take()); !strings.Contains(got, "describe statefulset db") {
		t.Errorf("the developer reads %s", got)
	}
}
