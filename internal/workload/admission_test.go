// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package workload_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/workload"
	"github.com/backstay-dr/backstay/test/gen"
)

// What the operator writes in the patch that releases a hold is what it reads back, from the workload and from the ReplicaSet
// that its controller copies it to. The record of another workload, by a restore or a copied manifest, is none.
func TestAdmissionIsReadBack(t *testing.T) {
	want := workload.Admission{
		UID: "uid-web", Template: view().Template.Hash, Plan: "shop", Reason: "BackupCompleted", Release: "shop-1.5.0", Rollout: 3, Backup: "b",
	}
	record := `{"uid":"uid-web","template":"` + want.Template + `","plan":"shop","reason":"BackupCompleted","release":"shop-1.5.0","rollout":3,"backup":"b"}`
	d := gen.Deployment("web", gen.Annotation(v1alpha1.AnnotationAdmitted, record))
	set := gen.ReplicaSet(d, 1, 1, epoch)
	set.Annotations = d.Annotations
	cut, cutSet := slim(t, d.DeepCopy()), slim(t, set.DeepCopy())
	v := workload.FromDeployment(cut, []appsv1.ReplicaSet{*cutSet})
	if diff := cmp.Diff(&want, v.Admitted); diff != "" {
		t.Errorf("the workload (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(&want, v.Revisions[0].Admitted); diff != "" {
		t.Errorf("its ReplicaSet (-want +got):\n%s", diff)
	}
	if !v.Admitted.Of(v.Template.Hash) || v.Admitted.Of("v2-other") || (*workload.Admission)(nil).Of("") {
		t.Error("Of does not compare the template")
	}
	for name, annotation := range map[string]string{
		"of another workload": `{"uid":"uid-api","template":"` + want.Template + `"}`, "no record": "yes", "empty": "",
	} {
		if got := view(gen.Annotation(v1alpha1.AnnotationAdmitted, annotation)).Admitted; got != nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
