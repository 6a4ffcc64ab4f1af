// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package drift resolves the version of a workload and compares what runs with what is planned.
package drift

import (
	"regexp"
	"strings"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/workload"
)

// Version is a version and where it was found.
type Version struct {
	Value  string
	Source v1alpha1.VersionSource
}

// Resolve finds the version of a pod template: a release whose artifacts name its images, by digest before by name;
// the version label of the template, then of the workload; the tag of the first image; else the template's hash.
func (a *Artifacts) Resolve(t workload.Template, workloadLabels map[string]string) Version {
	if v := a.version(t.Images); v != "" {
		return Version{v, v1alpha1.SourceArtifact}
	}
	if v := t.Labels[workload.LabelVersion]; v != "" {
		return Version{v, v1alpha1.SourcePodTemplateLabel}
	}
	if v := workloadLabels[workload.LabelVersion]; v != "" {
		return Version{v, v1alpha1.SourceWorkloadLabel}
	}
	if len(t.Images) > 0 {
		if v := imageTag(t.Images[0]); tellsVersion(v) {
			return Version{v, v1alpha1.SourceImageTag}
		}
	}
	return Version{"template-" + workload.Digest(t.Hash), v1alpha1.SourceTemplateHash}
}

// imageTag is the tag of an image reference, or "".
func imageTag(image string) string {
	name, _, _ := strings.Cut(image, "@")
	last := name[strings.LastIndex(name, "/")+1:]
	_, tag, _ := strings.Cut(last, ":")
	return tag
}

var validTag = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)

// tellsVersion reports whether a tag can stand for a version. The API server takes anything for an image; what is no tag
// would make a release that nobody can create, and a workload held for ever. "latest" tells nothing.
func tellsVersion(tag string) bool { return tag != latest && validTag.MatchString(tag) }
