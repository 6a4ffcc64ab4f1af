// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"maps"
	"strings"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/plan"
	"github.com/backstay-dr/backstay/internal/printable"
	"github.com/backstay-dr/backstay/internal/workload"
)

// Slim is the transform of every cache: of an object's metadata it keeps what identifies it and what a decision reads. The
// rest is up to whoever may create the object, and would be up to them to fill the operator's memory with. It also is the door
// through which text of others comes in that a status, an event or a metric may show: what is not printable does not pass.
// The API refuses such versions; objects may be older than that.
//
// The status of a plan or release is written on such an object. That loses nothing, since the API server takes no metadata
// from a write to the status of a custom resource.
func Slim(obj any) (any, error) {
	if workload.Slim(obj) {
		return obj, nil
	}
	switch o := obj.(type) {
	case *v1alpha1.AppRelease:
		markManaged(o)
		slimMeta(o, v1alpha1.AnnotationCreatedBy, v1alpha1.AnnotationRetryRequestedAt, plan.AnnotationManaged)
		keepLabels(o, func(key string) bool { return key == velerov1.RestoreNameLabel })
		o.Spec.Version = printableVersion(o.Spec.Version)
	case *v1alpha1.DRPlan:
		slimMeta(o)
		o.Labels = nil
		o.Spec.Version = printableVersion(o.Spec.Version)
	case *velerov1.Backup:
		slimMeta(o, ourKeys(o.Annotations)...)
		keepLabels(o, ours)
	case *velerov1.BackupStorageLocation:
		slimMeta(o)
		keepLabels(o, func(key string) bool { return strings.HasPrefix(key, v1alpha1.LabelAllowPrefix) })
	case *metav1.PartialObjectMetadata: // of namespaces
		slimMeta(o)
		keepLabels(o, ours)
	case metav1.Object: // policies and bindings
		o.SetManagedFields(nil)
		o.SetAnnotations(nil)
	}
	return obj, nil
}

// maxVersion is how long a version may be, in characters.
const maxVersion = 128

func printableVersion(version string) string {
	shown := []rune(printable.Text(version))
	return string(shown[:min(len(shown), maxVersion)])
}

func slimMeta(m metav1.Object, annotations ...string) {
	m.SetManagedFields(nil)
	m.SetOwnerReferences(nil)
	m.SetFinalizers(nil)
	workload.KeepAnnotations(m, annotations...)
}

func keepLabels(m metav1.Object, keep func(key string) bool) {
	labels := maps.Clone(m.GetLabels())
	maps.DeleteFunc(labels, func(key, _ string) bool { return !keep(key) })
	m.SetLabels(labels)
}

func ours(key string) bool { return strings.HasPrefix(key, v1alpha1.GroupName+"/") }

func ourKeys(of map[string]string) []string {
	var keys []string
	for key := range of {
		if ours(key) {
			keys = append(keys, key)
		}
	}
	return keys
}
