// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gen

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// ReleaseOption changes an AppRelease.
type ReleaseOption interface{ applyRelease(*v1alpha1.AppRelease) }

type releaseOption func(*v1alpha1.AppRelease)

func (f releaseOption) applyRelease(r *v1alpha1.AppRelease) { f(r) }

// Release is an AppRelease that records a version of a plan's application, named as the operator names it.
func Release(plan, version string, options ...ReleaseOption) *v1alpha1.AppRelease {
	name := plan + "-" + version
	r := &v1alpha1.AppRelease{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "AppRelease"},
		ObjectMeta: metav1.ObjectMeta{Namespace: DefaultNamespace, Name: name, UID: types.UID("uid-release-" + name), Generation: 1, ResourceVersion: "1"},
		Spec:       v1alpha1.AppReleaseSpec{Plan: plan, Version: version, Intent: v1alpha1.IntentRecord},
	}
	for _, o := range options {
		o.applyRelease(r)
	}
	return r
}

// Named sets the name of a release.
func Named(name string) ReleaseOption {
	return releaseOption(func(r *v1alpha1.AppRelease) { r.Name = name })
}

// Deploy sets the intent: the version is about to roll out.
func Deploy() ReleaseOption {
	return releaseOption(func(r *v1alpha1.AppRelease) { r.Spec.Intent = v1alpha1.IntentDeploy })
}

// Record sets the intent: a build exists.
func Record() ReleaseOption {
	return releaseOption(func(r *v1alpha1.AppRelease) { r.Spec.Intent = v1alpha1.IntentRecord })
}

// Artifact adds an image; the digest may be empty.
func Artifact(image, digest string) ReleaseOption {
	return releaseOption(func(r *v1alpha1.AppRelease) {
		r.Spec.Artifacts = append(r.Spec.Artifacts, v1alpha1.Artifact{Image: image, Digest: digest})
	})
}

// Rollouts sets the rollouts of its status, newest first.
func Rollouts(rollouts ...v1alpha1.Rollout) ReleaseOption {
	return releaseOption(func(r *v1alpha1.AppRelease) { r.Status.Rollouts = rollouts })
}
