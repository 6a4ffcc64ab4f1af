// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 is the API of Backstay: plans for the recovery of an application, and the releases of that
// application, each tied to the backups that captured it.
//
// +kubebuilder:object:generate=true
// +groupName=dr.backstay.dev
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupName is the API group of every kind of Backstay.
const GroupName = "dr.backstay.dev"

// GroupVersion is the API group and version of this package.
var GroupVersion = schema.GroupVersion{Group: GroupName, Version: "v1alpha1"}

var (
	schemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)

	// AddToScheme adds the kinds of this package to a scheme.
	AddToScheme = schemeBuilder.AddToScheme
)

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion, &DRPlan{}, &DRPlanList{}, &AppRelease{}, &AppReleaseList{})
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
