// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package actuate

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/workload"
	"github.com/backstay-dr/backstay/test/gen"
)

// A policy gives the partition back. Where that did not happen, or was refused, the operator does it itself, and nothing is left
// held without a mark.
func TestReleaseGivesThePartitionBackWhereNoPolicyDoes(t *testing.T) {
	conflict := apierrors.NewConflict(schema.GroupResource{}, "db", errors.New("changed"))
	forbidden := apierrors.NewForbidden(schema.GroupResource{}, "db", errors.New("the mark alone"))
	for name, tc := range map[string]struct {
		wish    string
		policy  bool // restores
		refusal error
		patches int
		want    int32
	}{
		"a policy restores":              {"2", true, nil, 1, 2},
		"there is none":                  {"2", false, nil, 2, 2},
		"the mark alone is refused":      {"2", false, forbidden, 2, 2},
		"it was a pause of the user's":   {"2147483647", false, nil, 1, math.MaxInt32},
		"it was changed in the meantime": {"2", false, conflict, 1, math.MaxInt32},
	} {
		t.Run(name, func(t *testing.T) {
			s := gen.StatefulSet("db", gen.Partition(math.MaxInt32), func(s *appsv1.StatefulSet) {
				s.Annotations = map[string]string{v1alpha1.AnnotationHeldBy: s.Namespace + "/shop", v1alpha1.AnnotationPartition: tc.wish}
			})
			scheme := runtime.NewScheme()
			utilruntime.Must(appsv1.AddToScheme(scheme))
			patches := 0
			c := fake.NewClientBuilder().WithScheme(scheme).WithObjects(s).WithInterceptorFuncs(interceptor.Funcs{
				Patch: func(ctx context.Context, c client.WithWatch, obj client.Object, patch client.Patch, _ ...client.PatchOption) error {
					patches++
					if tc.refusal != nil && patches == 1 {
						return tc.refusal
					}
					if err := c.Patch(ctx, obj, patch); err != nil || !tc.policy {
						return err
					}
					gen.Partition(tc.want)(obj.(*appsv1.StatefulSet))
					return c.Update(ctx, obj)
				},
			}).Build()
			if err := c.Get(t.Context(), client.ObjectKeyFromObject(s), s); err != nil {
				t.Fatal(err)
			}
			v := workload.StatefulSet.View(s, nil)
			a := Actuator{Client: c}
			stays := apierrors.IsConflict(tc.refusal)
			if err := a.release(t.Context(), &v, workload.Admission{Plan: "shop"}); apierrors.IsConflict(err) != stays || err != nil && !stays {
				t.Fatal(err)
			}
			if err := c.Get(t.Context(), client.ObjectKeyFromObject(s), s); err != nil {
				t.Fatal(err)
			}
			if got := *s.Spec.UpdateStrategy.RollingUpdate.Partition; got != tc.want || patches != tc.patches {
				t.Errorf("partition %d after %d patches, want %d after %d", got, patches, tc.want, tc.patches)
			}
			_, marked := s.Annotations[v1alpha1.AnnotationHeldBy]
			if marked != stays {
				t.Errorf("marks: %v", s.Annotations)
			}
			record := workload.Admission{}
			if err := json.Unmarshal([]byte(s.Annotations[v1alpha1.AnnotationAdmitted]), &record); err != nil && !marked || !marked && record.Plan != "shop" {
				t.Errorf("the record is %+v, %v", record, err)
			}
		})
	}
}
