// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"fmt"
	"strings"
	"testing"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/workload"
	"github.com/backstay-dr/backstay/test/gen"
)

const (
	digestA = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	digestB = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	digestS = "sha256:5555555555555555555555555555555555555555555555555555555555555555"
)

func TestResolve(t *testing.T) {
	releases := func(r ...*v1alpha1.AppRelease) []*v1alpha1.AppRelease { return r }
	version := func(v string) map[string]string { return map[string]string{workload.LabelVersion: v} }
	images := func(i ...string) workload.Template { return workload.Template{Hash: "v1-0", Images: i} }
	for name, tc := range map[string]struct {
		template workload.Template
		labels   map[string]string
		releases []*v1alpha1.AppRelease
		want     Version
	}{
		"artifact by name, before every label": {
			workload.Template{Images: []string{"web:7"}, Labels: version("1.4.0")}, version("1.3.0"),
			releases(gen.Release("shop", "1.5.0", gen.Artifact("web:7", ""))),
			Version{"1.5.0", v1alpha1.SourceArtifact},
		},
		"artifact by digest, before another by name": {
			images("web:7@" + digestA), nil,
			releases(gen.Release("shop", "1.4.0", gen.Artifact("web:7", "")), gen.Release("shop", "1.5.0", gen.Artifact("other", digestA))),
			Version{"1.5.0", v1alpha1.SourceArtifact},
		},
		"a name with another digest is another image": {
			images("web:7@" + digestB), nil, releases(gen.Release("shop", "1.5.0", gen.Artifact("web:7", digestA))),
			Version{"7", v1alpha1.SourceImageTag},
		},
		"pinned, named without the digest": {
			images("web:7@" + digestB), nil, releases(gen.Release("shop", "1.5.0", gen.Artifact("web:7", ""))),
			Version{"1.5.0", v1alpha1.SourceArtifact},
		},
		"pinned without a tag, and a name without a tag tells nothing": {
			images("web@" + digestB), nil, releases(gen.Release("shop", "1.5.0", gen.Artifact("web", ""))),
			Version{"template-0", v1alpha1.SourceTemplateHash},
		},
		"a name of Docker Hub is the same in full": {
			images("nginx:1.27"), nil, releases(gen.Release("shop", "1.5.0", gen.Artifact("docker.io/library/nginx:1.27", ""))),
			Version{"1.5.0", v1alpha1.SourceArtifact},
		},
		"in full is the same as in short": {
			images("index.docker.io/shop/web:7"), nil, releases(gen.Release("shop", "1.5.0", gen.Artifact("shop/web:7", ""))),
			Version{"1.5.0", v1alpha1.SourceArtifact},
		},
		"no tag is the tag latest": {
			images("nginx"), nil, releases(gen.Release("shop", "1.5.0", gen.Artifact("docker.io/library/nginx:latest", ""))),
			Version{"1.5.0", v1alpha1.SourceArtifact},
		},
		"the same name in another registry is another image": {
			images("registry.example/library/nginx:1.27"), nil, releases(gen.Release("shop", "1.5.0", gen.Artifact("nginx:1.27", ""))),
			Version{"1.27", v1alpha1.SourceImageTag},
		},
		"a port is part of the registry": {
			images("localhost:5000/web:7"), nil,
			releases(gen.Release("shop", "1.4.0", gen.Artifact("localhost:5001/web:7", "")), gen.Release("shop", "1.5.0", gen.Artifact("localhost:5000/web:7", ""))),
			Version{"1.5.0", v1alpha1.SourceArtifact},
		},
		"pinned in both, of which one names the tag": {
			images("nginx:1.27@" + digestA), nil, releases(gen.Release("shop", "1.5.0", gen.Artifact("docker.io/library/nginx@"+digestA, ""))),
			Version{"1.5.0", v1alpha1.SourceArtifact},
		},
		"pinned by the release only": {
			images("web:7"), nil, releases(gen.Release("shop", "1.5.0", gen.Artifact("web:7@"+digestA, ""))),
			Version{"7", v1alpha1.SourceImageTag},
		},
		"what is no reference is compared as it is written": {
			images("Web:7"), nil, releases(gen.Release("shop", "1.4.0", gen.Artifact("web:7", "")), gen.Release("shop", "1.5.0", gen.Artifact("Web:7", ""))),
			Version{"1.5.0", v1alpha1.SourceArtifact},
		},
		"named twice by one release counts once": {
			images("a:1", "b:1"), nil,
			releases(
				gen.Release("shop", "1", gen.Artifact("a:1", ""), gen.Artifact("docker.io/library/a:1", ""), gen.Artifact("library/a:1", "")),
				gen.Release("shop", "2", gen.Artifact("a:1", ""), gen.Artifact("b:1", "")),
			),
			Version{"2", v1alpha1.SourceArtifact},
		},
		"an unchanged sidecar is part of both versions, the application of one": {
			images("web@"+digestB, "log@"+digestS), nil,
			releases(
				gen.Release("shop", "1.4.0", gen.Artifact("web", digestA), gen.Artifact("log", digestS)),
				gen.Release("shop", "1.5.0", gen.Artifact("web", digestB), gen.Artifact("log", digestS)),
			),
			Version{"1.5.0", v1alpha1.SourceArtifact},
		},
		"an image that two versions name tells nothing": {
			workload.Template{Images: []string{"log@" + digestS}, Labels: version("1.4.0")}, nil,
			releases(gen.Release("shop", "1.4.1", gen.Artifact("log", digestS)), gen.Release("shop", "1.5.0", gen.Artifact("log", digestS))),
			Version{"1.4.0", v1alpha1.SourcePodTemplateLabel},
		},
		"a third version that names more decides": {
			images("a:1", "b:1"), nil,
			releases(
				gen.Release("shop", "1", gen.Artifact("a:1", "")), gen.Release("shop", "2", gen.Artifact("b:1", "")),
				gen.Release("shop", "3", gen.Artifact("a:1", ""), gen.Artifact("b:1", "")),
			),
			Version{"3", v1alpha1.SourceArtifact},
		},
		"two objects for one version agree": {
			images("a:1"), nil,
			releases(gen.Release("shop", "1", gen.Artifact("a:1", "")), gen.Release("shop", "1", gen.Named("twin"), gen.Artifact("a:1", ""))),
			Version{"1", v1alpha1.SourceArtifact},
		},
		"label of the template, before that of the workload": {
			workload.Template{Labels: version("1.5.0")}, version("1.4.0"), nil, Version{"1.5.0", v1alpha1.SourcePodTemplateLabel},
		},
		"label of the workload":            {images("web:7"), version("1.4.0"), nil, Version{"1.4.0", v1alpha1.SourceWorkloadLabel}},
		"tag":                              {images("registry.example:5000/team/web:1.5.0", "log:2"), nil, nil, Version{"1.5.0", v1alpha1.SourceImageTag}},
		"tag and digest":                   {images("web:1.5.0@" + digestA), nil, nil, Version{"1.5.0", v1alpha1.SourceImageTag}},
		"a port is no tag":                 {images("registry.example:5000/web"), nil, nil, Version{"template-0", v1alpha1.SourceTemplateHash}},
		"latest tells nothing":             {images("web:latest"), nil, nil, Version{"template-0", v1alpha1.SourceTemplateHash}},
		"a tag that is none":               {images("web:1.5 beta"), nil, nil, Version{"template-0", v1alpha1.SourceTemplateHash}},
		"two colons":                       {images("web:1:2"), nil, nil, Version{"template-0", v1alpha1.SourceTemplateHash}},
		"a tag as long as a version":       {images("web:" + strings.Repeat("9", 128)), nil, nil, Version{strings.Repeat("9", 128), v1alpha1.SourceImageTag}},
		"a tag that is too long":           {images("web:" + strings.Repeat("9", 129)), nil, nil, Version{"template-0", v1alpha1.SourceTemplateHash}},
		"only the first image's tag tells": {images("web", "log:2"), nil, nil, Version{"template-0", v1alpha1.SourceTemplateHash}},
		"nothing at all":                   {workload.Template{Hash: "v1-0"}, nil, nil, Version{"template-0", v1alpha1.SourceTemplateHash}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Index(tc.releases).Resolve(tc.template, tc.labels); got != tc.want {
				t.Errorf("Resolve() = %+v, want %+v", got, tc.want)
			}
		})
	}
}

// FuzzResolve: whatever an image is called, the version that comes of it is one that an AppRelease can have.
func FuzzResolve(f *testing.F) {
	for _, image := range []string{"web:1.5.0", "r:5000/web", "", ":", "@", "a:b:c", "web:\u00a0", "web: 1", "web:ä", "web@sha256:0"} {
		f.Add(image, "app:1")
	}
	f.Fuzz(func(t *testing.T, image, artifact string) {
		releases := []*v1alpha1.AppRelease{gen.Release("shop", "1.5.0", gen.Artifact(artifact, ""))}
		v := Index(releases).Resolve(workload.Template{Hash: "v1-0", Images: []string{image}}, nil)
		if v.Value == "" || len(v.Value) > 128 || strings.ContainsAny(v.Value, " \t\r\n\v\f") {
			t.Errorf("Resolve(%q) = %q, which no AppRelease can have", image, v.Value)
		}
	})
}

// BenchmarkResolve: a hundred workloads, each with two images, and a hundred releases that name them all.
func BenchmarkResolve(b *testing.B) {
	var releases []*v1alpha1.AppRelease
	var templates []workload.Template
	for i := range 100 {
		r := gen.Release("shop", fmt.Sprintf("1.%d.0", i))
		for j := range 50 {
			r.Spec.Artifacts = append(r.Spec.Artifacts, v1alpha1.Artifact{Image: fmt.Sprintf("registry.example/shop/svc-%d:1.%d.0", j, i)})
		}
		releases = append(releases, r)
		templates = append(templates, workload.Template{Images: []string{fmt.Sprintf("registry.example/shop/svc-%d:1.7.0", i%50), "log:2"}})
	}
	for b.Loop() {
		artifacts := Index(releases)
		for _, t := range templates {
			artifacts.Resolve(t, nil)
		}
	}
}
