// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/gate"
	"github.com/backstay-dr/backstay/internal/workload"
)

// gateWithin is how long the policies may take to reach admission. The API server looks for new ones once a second.
const gateWithin = 20 * time.Second

// InstallGate installs the policies of config/gate and waits until each of them is in force.
func (cp *ControlPlane) InstallGate(ctx context.Context) error {
	if err := cp.createFromFiles(ctx, Path("config", "gate", "*-*.yaml")); err != nil {
		return err
	}
	return cp.WaitForGate(ctx)
}

// WaitForGate waits until each policy of the gate is in force, by dry runs that each of them answers.
func (cp *ControlPlane) WaitForGate(ctx context.Context) error {
	operator, err := cp.Operator(ctx)
	if err != nil {
		return err
	}
	probe, err := cp.newGateProbe(ctx, operator)
	if err != nil {
		return err
	}
	if err := poll(ctx, gateWithin, probe.inForce); err != nil {
		return fmt.Errorf("the gate is not in force after %s: %w", gateWithin, err)
	}
	return nil
}

// gateProbe asks each policy a question that only it answers.
type gateProbe struct {
	admin, operator client.Client
	warnings        *Warnings
	target          *appsv1.Deployment
	revision        *appsv1.ReplicaSet
	plan            *v1alpha1.DRPlan
}

func (cp *ControlPlane) newGateProbe(ctx context.Context, operator *rest.Config) (*gateProbe, error) {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "gate-probe-"}}
	if err := cp.Client.Create(ctx, namespace); err != nil {
		return nil, err
	}
	labels := map[string]string{"app": "probe"}
	plan := &v1alpha1.DRPlan{ObjectMeta: metav1.ObjectMeta{Namespace: namespace.Name, Name: "probe"}}
	plan.Spec.Workloads.MatchLabels = map[string]v1alpha1.LabelValue{"app": "probe"}
	target := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: namespace.Name, Name: "probe", Labels: labels}}
	target.Spec.Selector = &metav1.LabelSelector{MatchLabels: labels}
	target.Spec.Template.Labels = labels
	target.Spec.Template.Spec.Containers = []corev1.Container{{Name: "probe", Image: "probe"}}
	revision := &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: namespace.Name, Name: "probe"}}
	revision.Labels = map[string]string{"app": "probe", "pod-template-hash": "1"}
	revision.Spec.Selector, revision.Spec.Template = target.Spec.Selector, target.Spec.Template
	for _, object := range []client.Object{plan, target, revision} {
		if err := cp.Client.Create(ctx, object); err != nil {
			return nil, err
		}
	}
	p := &gateProbe{warnings: &Warnings{}, target: target, revision: revision, plan: plan}
	admin := rest.CopyConfig(cp.Admin)
	admin.WarningHandler = p.warnings
	var err error
	if p.admin, err = client.New(admin, client.Options{Scheme: Scheme}); err != nil {
		return nil, err
	}
	p.operator, err = client.New(operator, client.Options{Scheme: Scheme})
	return p, err
}

func (p *gateProbe) inForce(ctx context.Context) error {
	answer, err := patch(ctx, p.admin, p.target, string(gate.ProbePatch(workload.Deployment)), client.DryRunAll)
	if err != nil {
		return err
	}
	if !gate.ProbeHeld(workload.Deployment, answer, "probe") {
		return fmt.Errorf("a changed template is not held")
	}
	if !strings.Contains(strings.Join(p.warnings.Take(), " "), "is held by DRPlan probe") {
		return fmt.Errorf("a held update brings no warning")
	}
	if _, err := patch(ctx, p.admin, p.target, annotate(v1alpha1.AnnotationOverride, "x"), client.DryRunAll); err == nil {
		return fmt.Errorf("an override without a hold is not denied")
	}
	overridden := fmt.Sprintf(`{"metadata":{"annotations":{%q:"x"}},"spec":{"template":{"spec":{"hostname":"changed"}}}}`, v1alpha1.AnnotationOverride)
	if _, err := patch(ctx, p.operator, p.target, overridden, client.DryRunAll); err == nil {
		return fmt.Errorf("an override without the right to it is not denied")
	}
	answer = p.target.DeepCopy()
	mark := client.RawPatch(types.MergePatchType, []byte(annotate(v1alpha1.AnnotationOverriddenBy, "x")))
	if err := p.admin.Status().Patch(ctx, answer, mark, client.DryRunAll); err != nil {
		return err
	}
	if answer.Annotations[v1alpha1.AnnotationOverriddenBy] != "" {
		return fmt.Errorf("the status brings a mark")
	}
	release := &v1alpha1.AppRelease{ObjectMeta: metav1.ObjectMeta{Namespace: p.target.Namespace, Name: "probe"}}
	release.Spec.Plan, release.Spec.Version = "probe", "1"
	if err := p.admin.Create(ctx, release, client.DryRunAll); err != nil {
		return err
	}
	if release.Annotations[v1alpha1.AnnotationCreatedBy] == "" {
		return fmt.Errorf("a release does not say who created it")
	}
	if answer, err = patch(ctx, p.operator, p.target, `{"metadata":{"labels":{"x":"y"}}}`, client.DryRunAll); err != nil {
		return err
	}
	if answer.Labels["x"] != "" {
		return fmt.Errorf("the operator may label what it likes")
	}
	revised := client.RawPatch(types.MergePatchType, []byte(annotate(v1alpha1.AnnotationAdmitted, "x")))
	if err := p.admin.Patch(ctx, p.revision.DeepCopy(), revised, client.DryRunAll); err == nil {
		return fmt.Errorf("a revision may be changed by anybody")
	}
	large := client.RawPatch(types.MergePatchType, []byte(annotate("note", strings.Repeat("x", 20_000))))
	if err := p.admin.Patch(ctx, p.plan.DeepCopy(), large, client.DryRunAll); err == nil {
		return fmt.Errorf("plans are not guarded")
	}
	if _, err := patch(ctx, p.operator, p.target, `{"spec":{"replicas":0}}`); err == nil {
		return fmt.Errorf("the operator may change what it likes")
	}
	return nil
}

func patch(
	ctx context.Context, c client.Client, d *appsv1.Deployment, body string, options ...client.PatchOption,
) (*appsv1.Deployment, error) {
	answer := d.DeepCopy()
	err := c.Patch(ctx, answer, client.RawPatch(types.MergePatchType, []byte(body)), options...)
	return answer, err
}

func annotate(key, value string) string {
	return fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, key, value)
}

// Warnings collects the warnings that the API server sends.
type Warnings struct {
	mu   sync.Mutex
	seen []string
}

// HandleWarningHeader implements rest.WarningHandler.
func (w *Warnings) HandleWarningHeader(code int, _, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if code == 299 {
		w.seen = append(w.seen, text)
	}
}

// Take returns what was collected since it was last asked.
func (w *Warnings) Take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := w.seen
	w.seen = nil
	return seen
}
