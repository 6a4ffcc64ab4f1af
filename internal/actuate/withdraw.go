// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package actuate

import (
	"context"
	"errors"
	"fmt"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
)

// withdraw deletes Backups that nobody waits for, as they were seen: one that Velero has begun since stays.
func (a *Actuator) withdraw(ctx context.Context, backups []*velerov1.Backup) error {
	var errs []error
	for _, b := range backups {
		as := client.Preconditions(metav1.Preconditions{UID: &b.UID, ResourceVersion: &b.ResourceVersion})
		if err := a.Client.Delete(ctx, b, as); client.IgnoreNotFound(err) != nil {
			errs = append(errs, fmt.Errorf("withdraw Backup %s: %w", b.Name, err))
			continue
		}
		log.FromContext(ctx).Info("Withdrew a backup that nobody waits for", "backup", b.Name)
	}
	return errors.Join(errs...)
}

// prune deletes releases, as they were seen.
func (a *Actuator) prune(ctx context.Context, releases []*v1alpha1.AppRelease) error {
	for _, r := range releases {
		as := client.Preconditions(metav1.Preconditions{UID: &r.UID, ResourceVersion: &r.ResourceVersion})
		if err := a.Client.Delete(ctx, r, as); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("prune AppRelease %s: %w", r.Name, err)
		}
		log.FromContext(ctx).Info("Pruned a release", "release", r.Name, "version", r.Spec.Version)
	}
	return nil
}

// Complete adds to an input what the cache does not show yet: the backups of the namespace that were created a moment ago.
func (a *Actuator) Complete(ctx context.Context, in facts.Input) {
	for _, name := range a.created.of(in.Namespace, a.Now()) {
		err := a.Client.Get(ctx, client.ObjectKey{Namespace: a.VeleroNamespace, Name: name}, &velerov1.Backup{}, client.UnsafeDisableDeepCopy)
		if err != nil {
			in.UnderWay[name] = true
		}
	}
}
