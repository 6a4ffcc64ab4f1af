// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/ledger"
	"github.com/backstay-dr/backstay/internal/velero"
)

// Observer reads what concerns a plan.
type Observer struct {
	Reader client.Reader

	// Cluster is the UID of its namespace kube-system. The Reader shows no Backups of others.
	Cluster string

	// VeleroNamespace is where Velero keeps its Backups and storage locations.
	VeleroNamespace string

	// Now is the clock.
	Now func() time.Time
}

// Plan gathers the input of a decision about the plan of that name, which need not exist. What is in it is the cache's
// own and no copy, since a plan may have hundreds of releases: nobody may change it.
func (o *Observer) Plan(ctx context.Context, key client.ObjectKey) (facts.Input, error) {
	in := facts.Input{Now: o.Now(), Cluster: o.Cluster, Namespace: key.Namespace, Name: key.Name}
	p := &v1alpha1.DRPlan{}
	switch err := o.Reader.Get(ctx, key, p, client.UnsafeDisableDeepCopy); {
	case err == nil:
		in.Plan = p
	case !apierrors.IsNotFound(err):
		return in, err
	}
	for _, read := range []func(context.Context, *facts.Input) error{
		o.readReleases, o.readMembers, o.readBackups, o.readLocation, o.readNamespace,
	} {
		if err := read(ctx, &in); err != nil {
			return in, err
		}
	}
	return in, nil
}

func (o *Observer) readReleases(ctx context.Context, in *facts.Input) error {
	list := &v1alpha1.AppReleaseList{}
	key := client.ObjectKey{Namespace: in.Namespace, Name: in.Name}
	by := client.MatchingFields{fieldPlan: key.String()}
	if err := o.Reader.List(ctx, list, client.InNamespace(in.Namespace), by, client.UnsafeDisableDeepCopy); err != nil {
		return err
	}
	for i := range list.Items {
		in.Releases = append(in.Releases, &list.Items[i])
	}
	slices.SortFunc(in.Releases, func(a, b *v1alpha1.AppRelease) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), strings.Compare(a.Name, b.Name))
	})
	return nil
}

func (o *Observer) readBackups(ctx context.Context, in *facts.Input) error {
	list := &velerov1.BackupList{}
	key := client.ObjectKey{Namespace: in.Namespace, Name: in.Name}
	by := client.MatchingFields{fieldPlan: key.String()}
	if err := o.Reader.List(ctx, list, client.InNamespace(o.VeleroNamespace), by, client.UnsafeDisableDeepCopy); err != nil {
		return err
	}
	in.Backups = make(map[string]*velerov1.Backup, len(list.Items))
	for i := range list.Items {
		in.Backups[list.Items[i].Name] = &list.Items[i]
	}
	underWay, err := o.UnderWay(ctx, in.Namespace)
	in.UnderWay = underWay
	return err
}

// UnderWay names the backups of a namespace that are not over, but for those that take longer than any should.
func (o *Observer) UnderWay(ctx context.Context, namespace string) (map[string]bool, error) {
	list := &velerov1.BackupList{}
	by := client.MatchingFields{fieldUnderWay: namespace}
	if err := o.Reader.List(ctx, list, client.InNamespace(o.VeleroNamespace), by, client.UnsafeDisableDeepCopy); err != nil {
		return nil, err
	}
	out := make(map[string]bool, len(list.Items))
	for i := range list.Items {
		if o.Now().Before(list.Items[i].CreationTimestamp.Add(ledger.StuckAfter)) {
			out[list.Items[i].Name] = true
		}
	}
	return out, nil
}

func (o *Observer) readLocation(ctx context.Context, in *facts.Input) error {
	if in.Plan == nil {
		return nil
	}
	locations, err := o.locations(ctx)
	if err != nil {
		return err
	}
	name := in.Plan.Spec.Backup.StorageLocation
	location := velero.DefaultLocation(locations)
	if name != "" {
		location = nil
		if i := slices.IndexFunc(locations, func(l velerov1.BackupStorageLocation) bool { return l.Name == name }); i >= 0 {
			location = &locations[i]
		}
	}
	in.LocationProblem = velero.LocationProblem(location, name, in.Namespace)
	if life := velero.LifeOf(locations); life.Silent(in.Now) {
		in.VeleroSilentSince = life.Last
	}
	return nil
}

// Life reads whether Velero runs.
func (o *Observer) Life(ctx context.Context) (velero.Life, error) {
	locations, err := o.locations(ctx)
	return velero.LifeOf(locations), err
}

func (o *Observer) locations(ctx context.Context) ([]velerov1.BackupStorageLocation, error) {
	list := &velerov1.BackupStorageLocationList{}
	err := o.Reader.List(ctx, list, client.InNamespace(o.VeleroNamespace), client.UnsafeDisableDeepCopy)
	return list.Items, err
}

func (o *Observer) readNamespace(ctx context.Context, in *facts.Input) error {
	ns := &metav1.PartialObjectMetadata{}
	ns.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	err := o.Reader.Get(ctx, client.ObjectKey{Name: in.Namespace}, ns)
	in.Terminating = err == nil && !ns.DeletionTimestamp.IsZero()
	return client.IgnoreNotFound(err)
}
