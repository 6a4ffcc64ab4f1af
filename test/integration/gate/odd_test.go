// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// odd are Deployments that an expression could stumble over. A policy that fails is passed over, so each must come back
// held, not just come back.
var odd = map[string]func(*appsv1.Deployment){
	"nothing optional": func(d *appsv1.Deployment) { d.Annotations = nil },
	"empty maps": func(d *appsv1.Deployment) {
		d.Annotations, d.Spec.Template.Annotations = map[string]string{}, map[string]string{}
	},
	"empty values": func(d *appsv1.Deployment) {
		d.Annotations = map[string]string{
			"empty": "", v1alpha1.AnnotationHeldBy: "", v1alpha1.AnnotationUserPaused: "",
		}
	},
	"marks of other shapes": func(d *appsv1.Deployment) {
		d.Annotations = map[string]string{
			v1alpha1.AnnotationHeldBy: "///", v1alpha1.AnnotationUserPaused: "TRUE", v1alpha1.AnnotationOverride: "",
			v1alpha1.AnnotationOverrideReason: "", v1alpha1.AnnotationOverriddenBy: "",
			v1alpha1.AnnotationOverriddenAt: "not a number",
		}
	},
	"as many annotations as fit": func(d *appsv1.Deployment) {
		d.Annotations = map[string]string{}
		for i := range 20000 {
			d.Annotations[fmt.Sprintf("%x", i)] = "v"
		}
	},
	"one annotation as long as fits": func(d *appsv1.Deployment) {
		d.Annotations = map[string]string{"long": strings.Repeat("x", 200_000)}
	},
	"many labels": func(d *appsv1.Deployment) {
		for i := range 500 {
			d.Labels[fmt.Sprintf("label-%d", i)] = strings.Repeat("v", 63)
		}
	},
	"the same variable twice": func(d *appsv1.Deployment) {
		c := &d.Spec.Template.Spec.Containers[0]
		c.Env = []corev1.EnvVar{{Name: "A", Value: "1"}, {Name: "A", Value: "2"}}
	},
	"the same port twice": func(d *appsv1.Deployment) {
		c := &d.Spec.Template.Spec.Containers[0]
		c.Ports = []corev1.ContainerPort{{Name: "a", ContainerPort: 80}, {Name: "b", ContainerPort: 80}}
	},
	"a hundred containers with a thousand variables": func(d *appsv1.Deployment) {
		for i := range 100 {
			c := corev1.Container{Name: fmt.Sprintf("c%d", i), Image: "sidecar"}
			for j := range 100 {
				c.Env = append(c.Env, corev1.EnvVar{Name: fmt.Sprintf("V%d", j), Value: strings.Repeat("x", 40)})
			}
			d.Spec.Template.Spec.Containers = append(d.Spec.Template.Spec.Containers, c)
		}
	},
	"a megabyte of arguments": func(d *appsv1.Deployment) {
		d.Spec.Template.Spec.Containers[0].Args = []string{strings.Repeat("x", 1_000_000)}
	},
	"a template in every corner": func(d *appsv1.Deployment) {
		no, grace, user := false, int64(0), int64(1000)
		d.Spec.Template.Spec.TerminationGracePeriodSeconds = &grace
		d.Spec.Template.Spec.AutomountServiceAccountToken = &no
		d.Spec.Template.Spec.SecurityContext = &corev1.PodSecurityContext{RunAsUser: &user}
		d.Spec.Template.Spec.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}}
		d.Spec.Template.Spec.InitContainers = []corev1.Container{{Name: "init", Image: "init"}}
		d.Spec.Template.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
		d.Spec.Template.Spec.Containers[0].LivenessProbe = &corev1.Probe{
			ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromString("http")}},
		}
	},
	"owned, finalized and terminating": func(d *appsv1.Deployment) {
		d.Finalizers = []string{"example.com/wait"}
		d.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "Pod", Name: "x", UID: "y"}}
	},
}

func TestOddDeploymentsAreHeld(t *testing.T) {
	t.Parallel()
	for name, change := range odd {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newEmptyShopOn(t, plane)
			s.enforce(s.plan("shop", v1alpha1.GateModeHold))
			d := s.deployment("web")
			change(d)
			s.create(d)
			if len(d.Finalizers) > 0 {
				if err := s.cp.Client.Delete(t.Context(), d); err != nil {
					t.Fatal(err)
				}
			}
			s.heldAndReleased()
		})
	}
}

// heldAndReleased holds "web", holds it again against a resume, overrides it, and lets it go.
func (s *shop) heldAndReleased() {
	s.t.Helper()
	dev := s.as(s.developer)
	const operation = `{"spec":{"template":{"spec":{"hostname":"changed-%d"}}}}`
	records := s.records(s.get("web"))
	for i := range 2 {
		s.isHeld(s.mustPatch(dev, fmt.Sprintf(operation, i)), records)
	}
	s.isHeld(s.mustPatch(dev, `{"spec":{"paused":false}}`), records)
	s.release()
	if d := s.get("web"); d.Spec.Paused {
		s.t.Errorf("not released: %+v", stateOf(d))
	}
	s.mustPatch(dev, fmt.Sprintf(operation, 2))
	if d := s.mustPatch(s.as(s.admin), annotation(v1alpha1.AnnotationOverride, "go")); d.Spec.Paused ||
		d.Annotations[v1alpha1.AnnotationOverriddenBy] != "admin-of-"+s.namespace {
		s.t.Errorf("not overridden: %+v", stateOf(d))
	}
}

// records are the annotations of an override that a Deployment had from its creation on, which nobody touches.
func (s *shop) records(d *appsv1.Deployment) map[string]string {
	out := map[string]string{}
	for name, value := range stateOf(d).Annotations {
		if strings.HasPrefix(name, "overrid") && name != "override" {
			out[name] = value
		}
	}
	return out
}

func (s *shop) isHeld(d *appsv1.Deployment, records map[string]string) {
	s.t.Helper()
	want := s.held("1")
	for name, value := range records {
		want.Annotations[name] = value
	}
	s.is(d, want)
}

func TestOddPlansDisturbNobody(t *testing.T) {
	t.Parallel()
	s := newEmptyShopOn(t, plane)
	full := s.plan("full", v1alpha1.GateModeHold)
	d := s.deployment("web")
	for i := range 15 {
		key, value := fmt.Sprintf("example.com/key-%d", i), strings.Repeat("v", 63)
		full.Spec.Workloads.MatchLabels[key] = v1alpha1.LabelValue(value)
		d.Labels[key] = value
	}
	empty := s.plan("empty", v1alpha1.GateModeHold)
	empty.Spec.Workloads.MatchLabels = map[string]v1alpha1.LabelValue{"marker": ""}
	s.enforce(full)
	s.enforce(empty)
	s.create(d)
	dev := s.as(s.developer)
	want := s.held("2")
	want.Annotations["held-by"] = s.namespace + "/full"
	s.is(s.mustPatch(dev, image("2")), want)
	// A label without a value is one that a workload must carry all the same.
	other := s.deployment("other")
	other.Labels = map[string]string{}
	s.create(other)
	other.Spec.Template.Spec.Hostname = "changed"
	if err := dev.Update(t.Context(), other); err != nil || other.Spec.Paused {
		t.Errorf("paused: %t, %v", other.Spec.Paused, err)
	}
	other.Labels = map[string]string{"marker": ""}
	other.Spec.Template.Spec.Hostname = "again"
	if err := dev.Update(t.Context(), other); err != nil || !other.Spec.Paused {
		t.Errorf("paused: %t, %v", other.Spec.Paused, err)
	}
}
