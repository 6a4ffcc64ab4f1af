// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// What stands for a template that Slim has cut: its fingerprint, and its images, since a Container takes 400 bytes. These
// annotations mean something in the operator's cache only: see slimmed.
const (
	annotationBase        = v1alpha1.GroupName + "/template-base"
	annotationAnnotations = v1alpha1.GroupName + "/template-annotations"
	annotationImages      = v1alpha1.GroupName + "/images"

	// between separates the values of a list: none of them contains it.
	between = "\x00"
)

func fromPodTemplate(t *corev1.PodTemplateSpec, restartAnnotations []string) Template {
	out := Template{Labels: versionLabel(t.Labels)}
	var f fingerprint
	if slimmed(t) {
		out.Images = strings.Split(t.Annotations[annotationImages], between)
		f.base = t.Annotations[annotationBase]
		if list := t.Annotations[annotationAnnotations]; list != "" {
			f.annotations = strings.Split(list, between)
		}
	} else {
		out.Images, f = imagesOf(&t.Spec), fingerprintOf(t)
	}
	out.Hash = f.hash(restartAnnotations)
	return out
}

func imagesOf(spec *corev1.PodSpec) []string {
	images := make([]string, len(spec.Containers))
	for i := range spec.Containers {
		images[i] = spec.Containers[i].Image
	}
	return images
}

func versionLabel(labels map[string]string) map[string]string {
	if v := labels[LabelVersion]; v != "" {
		return map[string]string{LabelVersion: v}
	}
	return nil
}

func slimTemplate(t *corev1.PodTemplateSpec) {
	if slimmed(t) {
		return // transforms may see an object twice
	}
	slim := corev1.PodTemplateSpec{}
	slim.Labels = versionLabel(t.Labels)
	f := fingerprintOf(t)
	slim.Annotations = map[string]string{annotationBase: f.base, annotationImages: strings.Join(imagesOf(&t.Spec), between)}
	if len(f.annotations) > 0 {
		slim.Annotations[annotationAnnotations] = strings.Join(f.annotations, between)
	}
	*t = slim
}

// slimmed says whether Slim has cut a template. That it has no container is what tells, since the API server takes no such
// template. The annotations do not: anybody may set them on a pod template, and a template that told its own hash could pass
// for the one that runs.
func slimmed(t *corev1.PodTemplateSpec) bool {
	return len(t.Spec.Containers) == 0
}
