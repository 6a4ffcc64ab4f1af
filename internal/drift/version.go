// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package drift resolves the version of a workload and compares what runs with what is planned.
package drift

import (
	"strings"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/workload"
)

// LabelVersion is the recommended Kubernetes label for the version of an application.
const LabelVersion = "app.kubernetes.io/version"

// maxVersion is the longest version that the API takes.
const maxVersion = 128

// Version is a version and where it was found.
type Version struct {
	Value  string
	Source v1alpha1.VersionSource
}

// Resolve finds the version of a pod template: a release whose artifacts name one of its images, by digest before by
// name; the version label of the template, then of the workload; the tag of the first image; else the template's
// hash. The tag "latest" tells no version.
func Resolve(t workload.Template, workloadLabels map[string]string, releases []*v1alpha1.AppRelease) Version {
	if v := fromArtifacts(t.Images, releases); v != "" {
		return Version{v, v1alpha1.SourceArtifact}
	}
	if v := t.Labels[LabelVersion]; v != "" {
		return Version{v, v1alpha1.SourcePodTemplateLabel}
	}
	if v := workloadLabels[LabelVersion]; v != "" {
		return Version{v, v1alpha1.SourceWorkloadLabel}
	}
	if len(t.Images) > 0 {
		if v := imageTag(t.Images[0]); v != "" && v != "latest" && len(v) <= maxVersion {
			return Version{v, v1alpha1.SourceImageTag}
		}
	}
	return Version{"template-" + t.Hash, v1alpha1.SourceTemplateHash}
}

func fromArtifacts(images []string, releases []*v1alpha1.AppRelease) string {
	for _, match := range []func(image string, a *v1alpha1.Artifact) bool{matchesDigest, matchesName} {
		for _, r := range releases {
			for i := range r.Spec.Artifacts {
				for _, image := range images {
					if match(image, &r.Spec.Artifacts[i]) {
						return r.Spec.Version
					}
				}
			}
		}
	}
	return ""
}

func matchesDigest(image string, a *v1alpha1.Artifact) bool {
	_, digest, ok := strings.Cut(image, "@")
	return ok && a.Digest != "" && digest == a.Digest
}

// matchesName compares references as they are written; an image pinned to another digest is another image.
func matchesName(image string, a *v1alpha1.Artifact) bool {
	name, digest, pinned := strings.Cut(image, "@")
	if pinned && a.Digest != "" && digest != a.Digest {
		return false
	}
	return image == a.Image || (pinned && imageTag(name) != "" && name == a.Image)
}

// imageTag is the tag of an image reference, or "".
func imageTag(image string) string {
	name, _, _ := strings.Cut(image, "@")
	last := name[strings.LastIndex(name, "/")+1:]
	_, tag, _ := strings.Cut(last, ":")
	return tag
}
