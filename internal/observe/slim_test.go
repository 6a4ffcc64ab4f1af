// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/gen"
)

// bloat fills the metadata of an object with as much as somebody may, who may create it: the keys that are read included.
func bloat[T client.Object](obj T) T {
	big := strings.Repeat("x", 200<<10)
	obj.SetAnnotations(map[string]string{"note": big, v1alpha1.GroupName + "/other": "x"})
	for _, key := range []string{
		v1alpha1.AnnotationCreatedBy, v1alpha1.AnnotationRetryRequestedAt, v1alpha1.AnnotationHeldBy, v1alpha1.AnnotationHeldReason,
	} {
		obj.GetAnnotations()[key] = big
	}
	labels := map[string]string{velerov1.RestoreNameLabel: "r"}
	for i := range 1000 {
		labels[fmt.Sprintf("%s/%d", strings.Repeat("k", 200), i)] = strings.Repeat("v", 63)
		obj.SetFinalizers(append(obj.GetFinalizers(), fmt.Sprintf("example.com/%s%d", strings.Repeat("f", 50), i)))
		obj.SetOwnerReferences(append(obj.GetOwnerReferences(), metav1.OwnerReference{Name: strings.Repeat("o", 250)}))
	}
	obj.SetLabels(labels)
	obj.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: big}})
	return obj
}

// 400 releases with annotations of 255 KB each took the operator from 94 to 286 MB, for whoever may create releases.
func TestCacheKeepsLittleOfWhatATenantCreates(t *testing.T) {
	const limit = 20 << 10
	for name, obj := range map[string]client.Object{
		"AppRelease": bloat(gen.Release("shop", "1.5.0")),
		"DRPlan":     bloat(gen.Plan("shop")),
		"namespace":  bloat(&metav1.PartialObjectMetadata{}),
		"policy":     &admissionv1.ValidatingAdmissionPolicy{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{"note": strings.Repeat("x", 200<<10)}}},
		"ReplicaSet": func() client.Object {
			set := gen.ReplicaSet(gen.Deployment("web"), 1, 1, time.Unix(0, 0))
			return bloat(set)
		}(),
		"Deployment": func() client.Object {
			d := bloat(gen.Deployment("web"))
			d.Labels = map[string]string{"app": "web"} // a plan may select by any of them
			return d
		}(),
	} {
		t.Run(name, func(t *testing.T) {
			if kept := len(slimmed(t, obj)); kept > limit {
				t.Errorf("%d bytes are kept of %s, want at most %d", kept, name, limit)
			}
		})
	}
}

// slimmed is what is kept of an object, as JSON.
func slimmed(t *testing.T, obj any) []byte {
	t.Helper()
	out, err := Slim(obj)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestSlimKeepsWhatIsRead(t *testing.T) {
	release := gen.Release("shop", "1.5.0", gen.Artifact("web:1.5.0", ""))
	release.UID, release.ResourceVersion, release.Generation = "u", "7", 2
	release.Labels = map[string]string{velerov1.RestoreNameLabel: "r"}
	release.Annotations = map[string]string{v1alpha1.AnnotationCreatedBy: "eva", v1alpha1.AnnotationRetryRequestedAt: "now"}
	backup := &velerov1.Backup{ObjectMeta: metav1.ObjectMeta{
		Name:        "b",
		Labels:      map[string]string{v1alpha1.LabelNamespace: "ns", v1alpha1.LabelPlan: "shop"},
		Annotations: map[string]string{v1alpha1.AnnotationVersion: "1.4.2", v1alpha1.AnnotationFailed: "now"},
	}}
	location := &velerov1.BackupStorageLocation{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{v1alpha1.LabelAllowPrefix + "ns": "true"}}}
	for name, obj := range map[string]client.Object{"release": release, "backup": backup, "location": location, "plan": gen.Plan("shop")} {
		t.Run(name, func(t *testing.T) {
			before, err := json.Marshal(obj)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(before), string(slimmed(t, obj))); diff != "" {
				t.Errorf("Slim changed it (-whole +slim):\n%s", diff)
			}
		})
	}
}

// What came into being before the API refused it, what Velero found in a bucket, and the reason of an override: none is shown as
// it was written.
func TestNothingUnprintableComesIn(t *testing.T) {
	const hostile, shown = "1.5\u202e0\u200b\u009b", `1.5\u202e0\u200b\u009b`
	release, plan, long := gen.Release("shop", hostile), gen.Plan("shop", gen.Planned(hostile)), gen.Release("shop", strings.Repeat("\u202e", 128))
	backup := &velerov1.Backup{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{v1alpha1.AnnotationVersion: hostile}}}
	web := gen.Deployment("web", gen.Annotation(v1alpha1.AnnotationOverrideReason, hostile))
	for _, obj := range []client.Object{release, plan, long, backup, web} {
		slimmed(t, obj)
	}
	for what, got := range map[string]string{
		"version of a release": release.Spec.Version, "version of a plan": plan.Spec.Version,
		"version of a backup": backup.Annotations[v1alpha1.AnnotationVersion], "reason": web.Annotations[v1alpha1.AnnotationOverrideReason],
	} {
		if got != shown {
			t.Errorf("%s: %q", what, got)
		}
	}
	if n := len(long.Spec.Version); n != 128 {
		t.Errorf("%d characters are more than a status takes", n)
	}
}
