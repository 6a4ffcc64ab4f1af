// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package gen builds the objects that tests are about: valid, with every default of the API, and changed by options in
// the order in which they are given.
package gen

import (
	"maps"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// DefaultNamespace is where an object is that no option puts elsewhere.
const DefaultNamespace = "ns"

// VeleroNamespace is where Backups and their storage locations are.
const VeleroNamespace = "velero"

// Option changes the metadata of any object.
type Option func(metav1.Object)

// Namespace puts an object into a namespace.
func Namespace(name string) Option {
	return func(o metav1.Object) { o.SetNamespace(name) }
}

// Label sets a label of the object itself, not of its pods.
func Label(key, value string) Option {
	return func(o metav1.Object) { o.SetLabels(with(o.GetLabels(), key, value)) }
}

// Annotation sets an annotation.
func Annotation(key, value string) Option {
	return func(o metav1.Object) { o.SetAnnotations(with(o.GetAnnotations(), key, value)) }
}

// Created sets when the object was created.
func Created(at time.Time) Option {
	return func(o metav1.Object) { o.SetCreationTimestamp(metav1.NewTime(at.Truncate(time.Second))) }
}

// UID sets the UID.
func UID(uid string) Option {
	return func(o metav1.Object) { o.SetUID(types.UID(uid)) }
}

// Generation sets the generation.
func Generation(n int64) Option {
	return func(o metav1.Object) { o.SetGeneration(n) }
}

// ResourceVersion sets the resource version.
func ResourceVersion(v string) Option {
	return func(o metav1.Object) { o.SetResourceVersion(v) }
}

func (f Option) applyDeployment(d *appsv1.Deployment)            { f(d) }
func (f Option) applyPlan(p *v1alpha1.DRPlan)                    { f(p) }
func (f Option) applyRelease(r *v1alpha1.AppRelease)             { f(r) }
func (f Option) applyBackup(b *velerov1.Backup)                  { f(b) }
func (f Option) applyLocation(l *velerov1.BackupStorageLocation) { f(l) }

func with(m map[string]string, key, value string) map[string]string {
	out := maps.Clone(m)
	if out == nil {
		out = map[string]string{}
	}
	out[key] = value
	return out
}

// ApplyToDeployment applies an option to a Deployment that exists.
func ApplyToDeployment(d *appsv1.Deployment, o DeploymentOption) { o.applyDeployment(d) }

// ApplyToPlan applies an option to a plan that exists.
func ApplyToPlan(p *v1alpha1.DRPlan, o PlanOption) { o.applyPlan(p) }

// ApplyToRelease applies an option to a release that exists.
func ApplyToRelease(r *v1alpha1.AppRelease, o ReleaseOption) { o.applyRelease(r) }
