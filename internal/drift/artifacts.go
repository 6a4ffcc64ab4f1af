// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"cmp"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// Artifacts is an index of the images that releases name, to be built once and asked for every workload. It is for one
// goroutine.
type Artifacts struct {
	releases []*v1alpha1.AppRelease
	byDigest map[string][]int // releases, by the digest of an artifact
	byStub   map[stub][]*artifact
}

// artifact is an image that a release names.
type artifact struct {
	release int // its place in the list
	written string
	digest  string
	parsed  *image // once an image came that it could be: to parse a reference takes microseconds
}

// Index lists the artifacts of releases.
func Index(releases []*v1alpha1.AppRelease) *Artifacts {
	a := &Artifacts{releases: releases, byDigest: map[string][]int{}, byStub: map[stub][]*artifact{}}
	for i, r := range releases {
		for j := range r.Spec.Artifacts {
			named := &r.Spec.Artifacts[j]
			if named.Digest != "" {
				a.byDigest[named.Digest] = append(a.byDigest[named.Digest], i)
			}
			stubs := stubsOf(named.Image)
			key := stubs[len(stubs)-1]
			a.byStub[key] = append(a.byStub[key], &artifact{release: i, written: named.Image, digest: named.Digest})
		}
	}
	return a
}

// match counts the images of a template that a release names.
type match struct{ byDigest, byName int }

func (m match) compare(other match) int {
	return cmp.Or(cmp.Compare(m.byDigest, other.byDigest), cmp.Compare(m.byName, other.byName))
}

// version finds the release that names most of the images. Two versions that name as many tell nothing: an image that did
// not change between them is part of both.
func (a *Artifacts) version(images []string) string {
	if len(a.byStub) == 0 {
		return ""
	}
	matches := map[int]match{}
	for _, written := range images {
		a.count(matches, written)
	}
	best, version := match{}, ""
	for i, m := range matches {
		switch named := a.releases[i].Spec.Version; m.compare(best) {
		case 1:
			best, version = m, named
		case 0:
			if version != named {
				version = ""
			}
		}
	}
	return version
}

// count adds an image to the matches of the releases that name it, once each.
func (a *Artifacts) count(matches map[int]match, written string) {
	counted := map[int]bool{}
	for _, i := range a.byDigest[digestOf(written)] {
		if !counted[i] {
			counted[i] = true
			matches[i] = match{matches[i].byDigest + 1, matches[i].byName}
		}
	}
	for _, key := range stubsOf(written) {
		for _, c := range a.byStub[key] {
			if !counted[c.release] && c.names(written) {
				counted[c.release] = true
				matches[c.release] = match{matches[c.release].byDigest, matches[c.release].byName + 1}
			}
		}
	}
}

// names reports whether an artifact names an image with which it has a stub in common. One that is pinned to another digest
// is another image.
func (c *artifact) names(written string) bool {
	if digest := digestOf(written); c.digest != "" && digest != "" && c.digest != digest {
		return false
	}
	if c.written == written {
		return true
	}
	if c.parsed == nil {
		parsed := parse(c.written)
		c.parsed = &parsed
	}
	img := parse(written)
	if c.parsed.digest != "" {
		return c.parsed.name == img.name && c.parsed.digest == img.digest
	}
	return c.parsed.name == img.name && c.parsed.tag == img.tag
}
