// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

const (
	// plansPerNamespace keeps the namespaces of a populated cluster few, and their indexes worth having.
	plansPerNamespace = 10
	// WorkloadsPerPlan is how many Deployments each plan of a populated cluster selects.
	WorkloadsPerPlan = 2
	// glance is how often is asked what the watches have shown.
	glance = 10 * time.Millisecond
	// hands is how many objects are created at the same time.
	hands = 8
)

// Populate creates plans, and the Deployments that they select, all at version 1, and waits until those run.
func (s *Stage) Populate(ctx context.Context, plans int) error {
	return s.Spread(ctx, plans, plansPerNamespace)
}

// Spread does the same, with so many plans in each namespace.
func (s *Stage) Spread(ctx context.Context, plans, perNamespace int) error {
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(hands)
	for n := range (plans + perNamespace - 1) / perNamespace {
		group.Go(func() error { return s.populateNamespace(within, n, min(perNamespace, plans-n*perNamespace)) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if s.withoutRollouts {
		return nil
	}
	return s.Until(ctx, func(ctx context.Context) (bool, error) {
		list := &appsv1.DeploymentList{}
		if err := s.Seen.List(ctx, list, client.HasLabels{labelApp}); err != nil {
			return false, err
		}
		for i := range list.Items {
			if list.Items[i].Status.UpdatedReplicas == 0 {
				return false, nil
			}
		}
		return len(list.Items) == plans*WorkloadsPerPlan, nil
	})
}

// labelApp is what the plans of a populated cluster select by.
const labelApp = "app.kubernetes.io/part-of"

// Team names the n-th namespace of a populated cluster.
func Team(n int) string { return fmt.Sprintf("team-%03d", n) }

func (s *Stage) populateNamespace(ctx context.Context, n, plans int) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: Team(n)}}
	if err := s.Live.Create(ctx, namespace); err != nil {
		return err
	}
	for i := range plans {
		app := fmt.Sprintf("app-%d", i)
		for w := range WorkloadsPerPlan {
			if err := s.Live.Create(ctx, NewDeployment(namespace.Name, fmt.Sprintf("%s-%d", app, w), app)); err != nil {
				return err
			}
		}
		if err := s.Live.Create(ctx, NewPlan(namespace.Name, app)); err != nil {
			return err
		}
	}
	return nil
}

// NewPlan is a plan for version 1 of an application, to be created.
func NewPlan(namespace, app string) *v1alpha1.DRPlan {
	p := &v1alpha1.DRPlan{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: app}}
	p.Spec.Version = "1"
	p.Spec.Workloads.MatchLabels = map[string]v1alpha1.LabelValue{labelApp: v1alpha1.LabelValue(app)}
	return p
}

// NewDeployment is a Deployment of an application in version 1, to be created.
func NewDeployment(namespace, name, app string) *appsv1.Deployment {
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: name, Labels: map[string]string{labelApp: app},
	}}
	pods := map[string]string{"app": name}
	d.Spec.Selector = &metav1.LabelSelector{MatchLabels: pods}
	d.Spec.Template.Labels = map[string]string{"app": name}
	d.Spec.Template.Spec.Containers = []corev1.Container{{Name: "main", Image: Image("1")}}
	return d
}

// Image is the image of a version.
func Image(version string) string { return "registry.example/app:" + version }

// AwaitGated waits until as many plans are gated, and know what every workload of theirs runs.
func (s *Stage) AwaitGated(ctx context.Context, plans int) error {
	return s.AwaitProven(ctx, plans, nil)
}

// Proofs are what is proven of the gate of each plan.
func (s *Stage) Proofs(ctx context.Context) (map[client.ObjectKey]string, error) {
	list := &v1alpha1.DRPlanList{}
	if err := s.Seen.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
		return nil, err
	}
	proofs := map[client.ObjectKey]string{}
	for i := range list.Items {
		proofs[client.ObjectKeyFromObject(&list.Items[i])] = list.Items[i].Status.GateProof
	}
	return proofs, nil
}

// AwaitProven waits until as many plans are gated, each by another proof than before.
func (s *Stage) AwaitProven(ctx context.Context, plans int, before map[client.ObjectKey]string) error {
	// Looking through thousands of plans again and again would take the time that is measured.
	every := max(glance, time.Duration(plans)*100*time.Microsecond)
	return wait.PollUntilContextTimeout(ctx, every, 10*time.Minute, true, func(ctx context.Context) (bool, error) {
		list := &v1alpha1.DRPlanList{}
		if err := s.Seen.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
			return false, err
		}
		done := 0
		for i := range list.Items {
			p := &list.Items[i]
			if meta.IsStatusConditionTrue(p.Status.Conditions, v1alpha1.ConditionGated) && len(p.Status.Workloads) == WorkloadsPerPlan &&
				p.Status.GateProof != before[client.ObjectKeyFromObject(p)] {
				done++
			}
		}
		return done >= plans, nil
	})
}

// Until asks what the watches have shown, again and again.
func (s *Stage) Until(ctx context.Context, done wait.ConditionWithContextFunc) error {
	return wait.PollUntilContextTimeout(ctx, glance, 2*time.Minute, true, done)
}
