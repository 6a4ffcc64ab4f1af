// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"maps"
	"reflect"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/workload"
	"github.com/backstay-dr/backstay/test/gen"
)

// admin is the user who may override a hold.
const admin = "admin"

// admit does to an update what the admission policies of config/gate do: it holds, holds again, honours an override.
func (w *world) admit(old, d *appsv1.Deployment, user string) {
	asked := d.Annotations[v1alpha1.AnnotationOverride]
	d.Annotations = maps.Clone(d.Annotations)
	delete(d.Annotations, v1alpha1.AnnotationOverride)
	if !w.gateUp {
		return
	}
	keep(old, d, v1alpha1.AnnotationAdmitted)
	was := view(old)
	for _, name := range sorted(w.plans) {
		p := w.plans[name]
		changed := !reflect.DeepEqual(revisionOf(old, p), revisionOf(d, p))
		mine := selects(p, old) || selects(p, d) || was.HeldByPlan(name)
		if p.Spec.Gate.Mode != v1alpha1.GateModeHold || !mine || !changed && !was.Held() {
			continue
		}
		if asked != "" && user == admin {
			if was.Held() && !was.UserPaused {
				d.Spec.Paused = false
			}
			delete(d.Annotations, v1alpha1.AnnotationHeldBy)
			delete(d.Annotations, v1alpha1.AnnotationUserPaused)
			gen.Annotation(v1alpha1.AnnotationOverriddenBy, user)(d)
			gen.Annotation(v1alpha1.AnnotationOverrideReason, asked)(d)
			return
		}
		hold(was, d, name)
	}
}

// keep takes back what a user did to a mark of the operator's.
func keep(old, d *appsv1.Deployment, mark string) {
	delete(d.Annotations, mark)
	if value, ok := old.Annotations[mark]; ok {
		gen.Annotation(mark, value)(d)
	}
}

// revisionOf is the pod template without what asks for a restart.
func revisionOf(d *appsv1.Deployment, p *v1alpha1.DRPlan) *corev1.PodTemplateSpec {
	t := d.Spec.Template.DeepCopy()
	for _, key := range append([]string{v1alpha1.AnnotationRestartedAt}, p.Spec.Gate.RestartAnnotations...) {
		delete(t.Annotations, key)
	}
	if len(t.Annotations) == 0 {
		t.Annotations = nil
	}
	return t
}

// hold holds a Deployment for a plan, and remembers a pause that is the user's own.
func hold(was workload.View, d *appsv1.Deployment, plan string) {
	now := view(d)
	userPaused := now.Paused
	switch {
	case now.HeldBy != "":
		userPaused = now.Paused && now.UserPaused
	case was.Held():
		userPaused = was.UserPaused
	}
	d.Spec.Paused = true
	gen.Annotation(v1alpha1.AnnotationHeldBy, ns+"/"+plan)(d)
	delete(d.Annotations, v1alpha1.AnnotationUserPaused)
	if userPaused {
		gen.Annotation(v1alpha1.AnnotationUserPaused, "true")(d)
	}
}

func selects(p *v1alpha1.DRPlan, d *appsv1.Deployment) bool {
	for k, v := range p.Spec.Workloads.MatchLabels {
		if d.Labels[k] != string(v) {
			return false
		}
	}
	return true
}

// override asks for a start without a backup.
func override(reason string) gen.DeploymentOption {
	return gen.Annotation(v1alpha1.AnnotationOverride, reason)
}

// resume is `kubectl rollout resume`.
func resume() gen.DeploymentOption {
	return gen.Changed(func(d *appsv1.Deployment) { d.Spec.Paused = false })
}
