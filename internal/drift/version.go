// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package drift resolves the version of a workload and compares what runs with what is planned.
package drift

import (
	"cmp"
	"regexp"
	"slices"
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
func Resolve(t workload.Template, workloadLabels map[string]string, releases []*v1alpha1.AppRelease) Version {
	if v := fromArtifacts(t.Images, releases); v != "" {
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

// match counts the images of a template that a release names.
type match struct{ byDigest, byName int }

func (m match) compare(other match) int {
	return cmp.Or(cmp.Compare(m.byDigest, other.byDigest), cmp.Compare(m.byName, other.byName))
}

// fromArtifacts finds the release that names most of the images. Two versions that name as many tell nothing: an image
// that did not change between them is part of both.
func fromArtifacts(images []string, releases []*v1alpha1.AppRelease) string {
	best, version := match{}, ""
	for _, r := range releases {
		switch m := matchOf(images, r.Spec.Artifacts); m.compare(best) {
		case 1:
			best, version = m, r.Spec.Version
		case 0:
			if version != r.Spec.Version {
				version = ""
			}
		}
	}
	return version
}

func matchOf(images []string, artifacts []v1alpha1.Artifact) match {
	var m match
	for _, image := range images {
		named := func(matches func(string, *v1alpha1.Artifact) bool) bool {
			return slices.ContainsFunc(artifacts, func(a v1alpha1.Artifact) bool { return matches(image, &a) })
		}
		switch {
		case named(matchesDigest):
			m.byDigest++
		case named(matchesName):
			m.byName++
		}
	}
	return m
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

var validTag = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)

// tellsVersion says whether a tag can stand for a version. The API server takes anything for an image; what is no tag
// would make a release that nobody can create, and a workload held for ever. "latest" tells nothing.
func tellsVersion(tag string) bool { return tag != "latest" && validTag.MatchString(tag) }
