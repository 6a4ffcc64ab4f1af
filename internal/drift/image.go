// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"strings"

	"github.com/distribution/reference"
)

// latest is the tag of a reference without one.
const latest = "latest"

// image is a reference to an image in its full form: "nginx" is docker.io/library/nginx with the tag latest. One that is
// pinned without a tag has none.
type image struct{ name, tag, digest string }

// parse reads a reference. What is none, and the API server takes anything for an image, stands for itself.
func parse(written string) image {
	named, err := reference.ParseNormalizedNamed(written)
	if err != nil {
		return image{name: written}
	}
	img := image{name: named.Name()}
	if tagged, ok := reference.TagNameOnly(named).(reference.Tagged); ok {
		img.tag = tagged.Tag()
	}
	if pinned, ok := named.(reference.Digested); ok {
		img.digest = pinned.Digest().String()
	}
	return img
}

// stub is what equal references have in common without being parsed: the last part of the name, and the tag or the digest.
type stub struct{ base, version string }

// stubsOf are those of an image: that of its tag, and, last, that of the digest which it is pinned to.
func stubsOf(written string) []stub {
	name, digest, pinned := strings.Cut(written, "@")
	base, tag, tagged := strings.Cut(name[strings.LastIndexByte(name, '/')+1:], ":")
	if !tagged && !pinned {
		tag = latest
	}
	stubs := []stub{{base, tag}}
	if pinned {
		stubs = append(stubs, stub{base, "@" + digest})
	}
	return stubs
}

// digestOf is the digest that an image is pinned to, without parsing it.
func digestOf(written string) string {
	_, digest, _ := strings.Cut(written, "@")
	return digest
}
