// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package actuate

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/plan"
	"github.com/backstay-dr/backstay/internal/velero"
)

// createRelease creates a release under the name that the decision gave it, or, where that is taken, under one that nobody
// can foresee.
func (a *Actuator) createRelease(ctx context.Context, r *v1alpha1.AppRelease) (*v1alpha1.AppRelease, error) {
	created := r.DeepCopy()
	err := a.Client.Create(ctx, created)
	if apierrors.IsAlreadyExists(err) {
		created, err = a.createUnderAnotherName(ctx, r)
	}
	if err != nil {
		return nil, fmt.Errorf("create AppRelease %s: %w", r.Name, err)
	}
	return created, nil
}

// createUnderAnotherName lets the API server name a release. A name that follows from plan and version is foreseeable, and
// whoever may create releases can take it, and every other such name, to keep a rollout from being recorded. Since the
// name does not identify it, the API server is asked first whether a release of this plan and version is there already: the
// cache may be behind.
func (a *Actuator) createUnderAnotherName(ctx context.Context, want *v1alpha1.AppRelease) (*v1alpha1.AppRelease, error) {
	same := &v1alpha1.AppReleaseList{}
	by := client.MatchingFields{v1alpha1.FieldReleasePlan: want.Spec.Plan, v1alpha1.FieldReleaseVersion: want.Spec.Version}
	if err := a.Live.List(ctx, same, client.InNamespace(want.Namespace), by, client.Limit(1)); err != nil {
		return nil, err
	}
	if len(same.Items) > 0 {
		return nil, apierrors.NewConflict(v1alpha1.GroupVersion.WithResource("appreleases").GroupResource(), same.Items[0].Name,
			errors.New("it exists, and the cache does not show it yet"))
	}
	other := want.DeepCopy()
	other.Name, other.GenerateName = "", velero.ReleaseNamePrefix(want.Spec.Plan, want.Spec.Version)
	return other, a.Client.Create(ctx, other)
}

// rename lets starts name their releases as these were created.
func rename(starts []plan.Start, named map[string]string) {
	for i := range starts {
		if name, ok := named[starts[i].Release]; ok {
			starts[i].Release = name
		}
	}
}
