// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"errors"
	"fmt"
	"slices"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/cluster/devcluster"
)

// get reads from the watches: what was seen so far.
func get[T client.Object](a *app, obj T, name string) T {
	a.t.Helper()
	if err := a.watched.Get(context.Background(), client.ObjectKey{Namespace: a.namespace, Name: name}, obj); client.IgnoreNotFound(err) != nil {
		a.t.Fatal(err)
	}
	return obj
}

// live reads from the API server: what is.
func live[T client.Object](a *app, obj T, name string) T {
	a.t.Helper()
	if err := a.admin.Get(a.t.Context(), client.ObjectKey{Namespace: a.namespace, Name: name}, obj); err != nil {
		a.t.Fatal(err)
	}
	return obj
}

func (a *app) plan() *v1alpha1.DRPlan { return get(a, &v1alpha1.DRPlan{}, planName) }

func (a *app) deployment(name string) *appsv1.Deployment { return get(a, &appsv1.Deployment{}, name) }

// release is the release that the operator makes for a version.
func (a *app) release(version string) *v1alpha1.AppRelease {
	return get(a, &v1alpha1.AppRelease{}, planName+"-"+version)
}

// releases lists the versions of the plan's releases, in alphabetical order.
func (a *app) releases() []string {
	a.t.Helper()
	list := &v1alpha1.AppReleaseList{}
	if err := a.watched.List(context.Background(), list, client.InNamespace(a.namespace)); err != nil {
		a.t.Fatal(err)
	}
	var versions []string
	for i := range list.Items {
		versions = append(versions, list.Items[i].Spec.Version)
	}
	slices.Sort(versions)
	return versions
}

// backups lists every backup of the namespace, whatever its labels say, oldest first.
func (a *app) backups() []velerov1.Backup {
	a.t.Helper()
	list := &velerov1.BackupList{}
	if err := a.watched.List(context.Background(), list, client.InNamespace(devcluster.VeleroNamespace)); err != nil {
		a.t.Fatal(err)
	}
	ours := slices.DeleteFunc(list.Items, func(b velerov1.Backup) bool {
		return len(b.Spec.IncludedNamespaces) > 0 && !slices.Contains(b.Spec.IncludedNamespaces, a.namespace)
	})
	slices.SortFunc(ours, func(x, y velerov1.Backup) int { return x.CreationTimestamp.Compare(y.CreationTimestamp.Time) })
	return ours
}

// runs says why a Deployment does not run a version with all its pods; nil if it does.
func (a *app) runs(name, version string) error {
	d := a.deployment(name)
	if len(d.Spec.Template.Spec.Containers) == 0 {
		return errors.New("there is no Deployment " + name)
	}
	if got := d.Spec.Template.Spec.Containers[0].Image; got != image(name, version) {
		return fmt.Errorf("%s asks for %s", name, got)
	}
	return rolledOut(d, 0)
}

// rolledOut says why a Deployment has not rolled out what was asked for at a generation, or later.
func rolledOut(d *appsv1.Deployment, generation int64) error {
	s := d.Status
	switch {
	case d.Spec.Paused:
		return fmt.Errorf("%s is paused", d.Name)
	case d.Generation < generation || s.ObservedGeneration < d.Generation:
		return fmt.Errorf("%s: the Deployment controller is behind", d.Name)
	case s.UpdatedReplicas != *d.Spec.Replicas || s.Replicas != s.UpdatedReplicas || s.AvailableReplicas != s.UpdatedReplicas:
		return fmt.Errorf("%s: %d of %d replicas updated, %d exist", d.Name, s.UpdatedReplicas, *d.Spec.Replicas, s.Replicas)
	}
	return nil
}

// held says why a Deployment is not held by the plan.
func (a *app) held(d *appsv1.Deployment) error {
	if mark := d.Annotations[v1alpha1.AnnotationHeldBy]; !d.Spec.Paused || mark != a.namespace+"/"+planName {
		return fmt.Errorf("%s is not held: paused %t, mark %q", d.Name, d.Spec.Paused, mark)
	}
	return nil
}

// wants says why conditions lack one of a type with a reason.
func wants(conditions []metav1.Condition, kind, reason string) error {
	c := meta.FindStatusCondition(conditions, kind)
	if c == nil {
		return fmt.Errorf("there is no condition %s", kind)
	}
	if c.Reason != reason {
		return fmt.Errorf("%s is %s, reason %s: %s", kind, c.Status, c.Reason, c.Message)
	}
	return nil
}

// planSays says why the plan lacks a condition with a reason.
func (a *app) planSays(kind, reason string) error {
	return wants(a.plan().Status.Conditions, kind, reason)
}

// releaseSays says why the release of a version lacks a condition with a reason.
func (a *app) releaseSays(version, kind, reason string) error {
	return wants(a.release(version).Status.Conditions, kind, reason)
}

// backup is one that exists.
func (a *app) backup(name string) velerov1.Backup {
	a.t.Helper()
	for _, b := range a.backups() {
		if b.Name == name {
			return b
		}
	}
	a.t.Fatalf("there is no backup %s of the plan", name)
	return velerov1.Backup{}
}

// readyMessage is what a release tells a person.
func readyMessage(r *v1alpha1.AppRelease) string {
	if c := meta.FindStatusCondition(r.Status.Conditions, v1alpha1.ConditionReady); c != nil {
		return c.Message
	}
	return ""
}
