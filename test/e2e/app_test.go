// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// patience is how long anything may take that is not measured. It is long because a test machine can be slow; nothing
// waits for it to pass.
const patience = time.Minute

// planName is the name of the plan in every namespace.
const planName = "shop"

// app is an application with a plan in a namespace of its own, and a developer who may edit that namespace.
type app struct {
	*installation
	t         *testing.T
	namespace string
	dev       *kubectl // bound to the role "edit"
	root      *kubectl // the cluster's administrator
}

// newApp deploys an application of some Deployments, all of the first version, under a plan that was written for it,
// and waits until the gate is proven to hold it.
func newApp(t *testing.T, i *installation, deployments ...string) *app {
	t.Helper()
	a := newNamespace(t, i)
	a.dev.feed(plan(""), "apply", "-f", "-")
	a.deploy(firstVersion, deployments...)
	a.await("the gate is proven", func() error { return a.planSays(v1alpha1.ConditionGated, v1alpha1.ReasonProbeHeld) })
	// On a new cluster the API server takes seconds until its policies know a new kind, and refuses objects of it until then.
	// Where kinds were removed and came back that takes minutes: only the tests on the shared cluster wait for it.
	if i != shared {
		return a
	}
	a.await("releases can be recorded", func() error {
		r := &v1alpha1.AppRelease{ObjectMeta: metav1.ObjectMeta{Namespace: a.namespace, Name: "probe"}}
		r.Spec = v1alpha1.AppReleaseSpec{Plan: planName, Version: "0.0.0", Intent: v1alpha1.IntentRecord}
		return i.admin.Create(t.Context(), r, client.DryRunAll)
	})
	return a
}

// newNamespace makes a namespace with a developer and nothing else.
func newNamespace(t *testing.T, i *installation) *app {
	t.Helper()
	ns := &corev1.Namespace{}
	ns.GenerateName = "e2e-"
	if err := i.admin.Create(t.Context(), ns); err != nil {
		t.Fatal(err)
	}
	a := &app{installation: i, t: t, namespace: ns.Name}
	a.root = i.as(t, i.cluster.Kubeconfig(), ns.Name)
	a.dev = i.as(t, a.editor("dev"), ns.Name)
	return a
}

// editor makes a ServiceAccount that may edit the namespace, as a developer or a pipeline may, and returns its
// kubeconfig.
func (a *app) editor(name string) string {
	a.t.Helper()
	account := &corev1.ServiceAccount{}
	account.Namespace, account.Name = a.namespace, name
	binding := &rbacv1.RoleBinding{
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "edit"},
		Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: a.namespace, Name: name}},
	}
	binding.Namespace, binding.Name = a.namespace, name
	for _, obj := range []client.Object{account, binding} {
		if err := a.admin.Create(a.t.Context(), obj); err != nil {
			a.t.Fatal(err)
		}
	}
	a.awaitEditor("system:serviceaccount:" + a.namespace + ":" + name)
	kubeconfig, err := a.cluster.ServiceAccountKubeconfig(a.t.Context(), a.namespace, name)
	if err != nil {
		a.t.Fatal(err)
	}
	return kubeconfig
}

// deploy applies Deployments of a version and waits until they run it.
func (a *app) deploy(version string, names ...string) {
	a.t.Helper()
	for _, name := range names {
		a.dev.feed(manifest(deployment(name, version)), "apply", "-f", "-")
	}
	for _, name := range names {
		a.await(name+" runs "+version, func() error { return a.runs(name, version) })
	}
}

// await waits until a check passes. It is made again whenever something in the cluster changes.
func (a *app) await(what string, check func() error) {
	a.t.Helper()
	a.awaitWithin(patience, what, check)
}

func (a *app) awaitWithin(limit time.Duration, what string, check func() error) {
	a.t.Helper()
	timeout := time.NewTimer(limit)
	defer timeout.Stop()
	for {
		changed := a.nextChange()
		err := check()
		if err == nil {
			return
		}
		select {
		case <-changed:
		case <-timeout.C:
			a.t.Fatalf("not within %s: %s: %v\n%s", limit, what, err, a.diagnosis())
		}
	}
}

func (a *app) setImage(name, version string) {
	a.t.Helper()
	a.dev.run("set", "image", "deployment/"+name, name+"="+image(name, version))
}

// awaitHeld waits until the operator has seen that workloads are held, by their names in order.
func (a *app) awaitHeld(names ...string) {
	a.t.Helper()
	a.await(fmt.Sprintf("%v are held", names), func() error {
		var got []string
		for _, held := range a.plan().Status.Held {
			got = append(got, held.Name)
		}
		slices.Sort(got) // the plan lists them by the time since when
		if !slices.Equal(got, names) {
			return fmt.Errorf("the plan lists %v", got)
		}
		return nil
	})
}

// awaitBackups waits until there are so many backups more.
func (a *app) awaitBackups(since ledger, n int) {
	a.t.Helper()
	a.await(fmt.Sprintf("%d backups", n), func() error {
		if got := len(a.newBackups(since)); got != n {
			return fmt.Errorf("there are %d", got)
		}
		return nil
	})
}
