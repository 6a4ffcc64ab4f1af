// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package observe gathers everything that a decision about a plan rests on. It reads from the cache, by indexes, and
// never writes.
package observe

import (
	"context"
	"maps"
	"slices"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/velero"
	"github.com/backstay-dr/backstay/internal/workload"
)

// Fields that the cache is indexed by.
const (
	// fieldLabel: every label of a workload, as "key=value".
	fieldLabel = "backstay.label"
	// fieldHeldBy: the hold mark of a workload, "<namespace>/<plan>".
	fieldHeldBy = "backstay.heldBy"
	// fieldOwner: the UID of the workload that a revision belongs to.
	fieldOwner = "backstay.owner"
	// fieldPlan: the plan that an AppRelease names, or that a Backup is labelled with, "<namespace>/<plan>".
	fieldPlan = "backstay.plan"
	// fieldUnderWay: the namespace that a Backup is of, while it is not over.
	fieldUnderWay = "backstay.underWay"
)

// Index registers the indexes that this package reads by.
func Index(ctx context.Context, indexer client.FieldIndexer) error {
	for _, index := range indexes() {
		if err := indexer.IndexField(ctx, index.obj, index.field, index.extract); err != nil {
			return err
		}
	}
	return nil
}

type index struct {
	obj     client.Object
	field   string
	extract client.IndexerFunc
}

func indexes() []index {
	out := []index{
		{&v1alpha1.AppRelease{}, fieldPlan, planOfRelease},
		{&velerov1.Backup{}, fieldPlan, planOfBackup},
		{&velerov1.Backup{}, fieldUnderWay, namespaceUnderWay},
	}
	for _, k := range workload.Kinds {
		out = append(out,
			index{k.New(), fieldLabel, labelsOf},
			index{k.New(), fieldHeldBy, holdMarkOf},
			index{k.Revisions.New(), fieldOwner, ownerOf},
		)
	}
	return out
}

func labelsOf(obj client.Object) []string {
	out := make([]string, 0, len(obj.GetLabels()))
	for k, v := range obj.GetLabels() {
		out = append(out, pair(k, v))
	}
	return out
}

func holdMarkOf(obj client.Object) []string {
	return nonEmpty(obj.GetAnnotations()[v1alpha1.AnnotationHeldBy])
}

func ownerOf(obj client.Object) []string {
	if owner := metav1.GetControllerOf(obj); owner != nil {
		return []string{string(owner.UID)}
	}
	return nil
}

func planOfRelease(obj client.Object) []string {
	return []string{client.ObjectKey{Namespace: obj.GetNamespace(), Name: obj.(*v1alpha1.AppRelease).Spec.Plan}.String()}
}

func planOfBackup(obj client.Object) []string {
	if key, ok := PlanOfBackup(obj); ok {
		return []string{key.String()}
	}
	return nil
}

func namespaceUnderWay(obj client.Object) []string {
	if velero.StateOf(obj.(*velerov1.Backup)) != velero.Waiting {
		return nil
	}
	return nonEmpty(obj.GetLabels()[v1alpha1.LabelNamespace])
}

// PlanOfBackup is the plan that a Backup is labelled with.
func PlanOfBackup(obj client.Object) (client.ObjectKey, bool) {
	key := client.ObjectKey{Namespace: obj.GetLabels()[v1alpha1.LabelNamespace], Name: obj.GetLabels()[v1alpha1.LabelPlan]}
	return key, key.Namespace != "" && key.Name != ""
}

// firstPair is the first of the labels that a plan selects by: whatever carries them all carries that one.
func firstPair(plan *v1alpha1.DRPlan) string {
	labels := plan.Spec.Workloads.MatchLabels
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		return pair(k, string(labels[k]))
	}
	return ""
}

func pair(key, value string) string { return key + "=" + value }

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}
