// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"fmt"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// artifacts is a list of that many images.
func artifacts(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("{image: i%d}", i))
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// digest is a digest of that many digits.
func digest(n int) string { return "sha256:" + strings.Repeat("a", n) }

func TestBadAppReleasesAreRefused(t *testing.T) {
	t.Parallel()
	const badDigest = "digest must be sha256: followed by 64 hexadecimal digits in lower case"
	const badURL = "spec.source.url: Invalid value: \"%s\": url must be an http or https address"
	tests := map[string]struct{ path, value, want string }{
		"no spec":                     {"spec", "-", "spec: Required value"},
		"no plan":                     {"spec.plan", "-", "spec.plan: Required value"},
		"an empty plan":               {"spec.plan", `""`, "spec.plan in body should be at least 1 chars long"},
		"a plan that is no name":      {"spec.plan", "Shop", "spec.plan: Invalid value: \"Shop\": plan must be the name of a DRPlan: lower case letters, digits, '-' and '.'"},
		"a plan of another namespace": {"spec.plan", "other/shop", "plan must be the name of a DRPlan"},
		"a long plan":                 {"spec.plan", long(64), "spec.plan: Too long: may not be more than 63"},
		"no version":                  {"spec.version", "-", "spec.version: Required value"},
		"an empty version":            {"spec.version", `""`, "spec.version in body should be at least 1 chars long"},
		"a long version":              {"spec.version", long(129), "spec.version: Too long: may not be more than 128"},
		"a version with a tab":        {"spec.version", `"1\t0"`, "version must consist of visible ASCII characters without white space"},
		"a version that is a number":  {"spec.version", "2", `spec.version in body must be of type string: "integer"`},
		"an unknown intent":           {"spec.intent", "Rollback", `spec.intent: Unsupported value: "Rollback": supported values: "Deploy", "Record"`},
		"an unknown field":            {"spec.image", "a", `unknown field "spec.image"`},
		"too many artifacts":          {"spec.artifacts", artifacts(51), "spec.artifacts: Too many: 51: must have at most 50 items"},
		"an artifact without image":   {"spec.artifacts", "[{digest: " + digest(64) + "}]", "spec.artifacts[0].image: Required value"},
		"an empty image":              {"spec.artifacts", `[{image: ""}]`, "spec.artifacts[0].image in body should be at least 1 chars long"},
		"an image with a space":       {"spec.artifacts", `[{image: "a b"}]`, "spec.artifacts[0].image: Invalid value: \"a b\": image must consist of visible ASCII characters without white space"},
		"a long image":                {"spec.artifacts", "[{image: " + long(513) + "}]", "spec.artifacts[0].image: Too long: may not be more than 512"},
		"the same image twice":        {"spec.artifacts", "[{image: a}, {image: a}]", `spec.artifacts[1]: Duplicate value: {"image":"a"}`},
		"a short digest":              {"spec.artifacts", "[{image: a, digest: " + digest(63) + "}]", badDigest},
		"a long digest":               {"spec.artifacts", "[{image: a, digest: " + digest(65) + "}]", "spec.artifacts[0].digest: Too long: may not be more than 71"},
		"a digest in capitals":        {"spec.artifacts", "[{image: a, digest: sha256:" + strings.Repeat("A", 64) + "}]", badDigest},
		"a digest of another kind":    {"spec.artifacts", "[{image: a, digest: sha512:" + strings.Repeat("a", 64) + "}]", badDigest},
		"a url that is none":          {"spec.source.url", "build 5", fmt.Sprintf(badURL, "build 5")},
		"a url that runs code":        {"spec.source.url", "javascript:alert(1)", fmt.Sprintf(badURL, "javascript:alert(1)")},
		"a url without a host":        {"spec.source.url", "/builds/5", fmt.Sprintf(badURL, "/builds/5")},
		"a long url":                  {"spec.source.url", "https://a/" + long(2048), "spec.source.url: Too long: may not be more than 2048"},
		"an empty revision":           {"spec.source.revision", `""`, "spec.source.revision in body should be at least 1 chars long"},
		"a long revision":             {"spec.source.revision", long(129), "spec.source.revision: Too long: may not be more than 128"},
		"a long builder":              {"spec.source.builder", long(129), "spec.source.builder: Too long: may not be more than 128"},
		"a long data version":         {"spec.dataVersion", long(129), "spec.dataVersion: Too long: may not be more than 128"},
		"too many data versions":      {"spec.dataCompatibility", "[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q]", "spec.dataCompatibility: Too many: 17: must have at most 16 items"},
		"the same data version twice": {"spec.dataCompatibility", "[a, a]", `spec.dataCompatibility[1]: Duplicate value: "a"`},
		"an empty data version":       {"spec.dataCompatibility", `[""]`, "spec.dataCompatibility[0] in body should be at least 1 chars long"},
	}
	namespace := plane.Namespace(t)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			object := parse(t, namespace, release)
			with(t, object, test.path, test.value)
			refusedWith(t, create(t, object, client.DryRunAll), test.want)
		})
	}
}

// What is refused in every text of a release and a plan: characters that nobody sees, or that change what others show.
func TestCharactersThatNobodySeesAreRefused(t *testing.T) {
	t.Parallel()
	namespace := plane.Namespace(t)
	fields := map[string]string{
		"spec.version": "1.5%s0", "spec.dataVersion": "1%s2", "spec.dataCompatibility": `["1%s2"]`, "spec.artifacts": `[{image: "a%sb"}]`,
		"spec.source.revision": "4be%sad", "spec.source.builder": "jen%skins", "spec.source.url": "https://ci.example/%s5",
	}
	for name, character := range map[string]string{
		"a control sequence of 8 bit": `\u009b`, "a backspace": `\b`, "an escape": `\e`, "right to left": `\u202e`, "an isolate": `\u2066`,
		"zero width": `\u200b`, "a joiner": `\u2060`, "a byte order mark": `\ufeff`, "a soft hyphen": `\u00ad`, "a hard blank": `\u00a0`,
		"a line separator": `\u2028`, "a filler": `\u3164`, "a braille blank": `\u2800`, "a tag": `\U000e0041`, "a letter that looks like another": `\u0430`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for path, format := range fields {
				object := parse(t, namespace, release)
				value := fmt.Sprintf(format, character)
				if !strings.HasPrefix(value, "[") {
					value = `"` + value + `"`
				}
				with(t, object, path, value)
				refusedWith(t, create(t, object, client.DryRunAll), "must consist of visible ASCII characters")
			}
			object := parse(t, namespace, plan)
			with(t, object, "spec.version", `"1.5`+character+`0"`)
			refusedWith(t, create(t, object, client.DryRunAll), "version must consist of visible ASCII characters without white space")
		})
	}
}

func TestGoodAppReleasesAreTaken(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ path, value string }{
		"as it is":                  {"metadata.labels", "{a: b}"},
		"to be deployed":            {"spec.intent", "Deploy"},
		"a version with a plus":     {"spec.version", "1.5.0+build.7"},
		"the longest version":       {"spec.version", long(128)},
		"as many images as allowed": {"spec.artifacts", artifacts(50)},
		"an image by digest":        {"spec.artifacts", "[{image: 'registry.example:5000/shop/web:1.5.0', digest: " + digest(64) + "}]"},
		"its source":                {"spec.source", "{revision: 4bead38, url: 'https://ci.example/job/5?a=b#c', builder: jenkins}"},
		"an http source":            {"spec.source", "{url: 'http://ci.internal:8080/5'}"},
		"its data":                  {"spec.dataCompatibility", "['12', '13']"},
	}
	namespace := plane.Namespace(t)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			object := parse(t, namespace, release)
			with(t, object, test.path, test.value)
			if err := create(t, object, client.DryRunAll); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSpecOfAnAppReleaseIsImmutableButForItsIntent(t *testing.T) {
	t.Parallel()
	const immutable = "spec: Invalid value: spec must stay as it is but for intent, since it records a fact: create another AppRelease for another version"
	object := parse(t, plane.Namespace(t), release)
	if err := create(t, object); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"the version":      {"spec.version", "1.5.1"},
		"the plan":         {"spec.plan", "other"},
		"an artifact more": {"spec.artifacts", "[{image: a}]"},
		"a source":         {"spec.source", "{builder: me}"},
		"a data version":   {"spec.dataVersion", "'12'"},
		"what it runs on":  {"spec.dataCompatibility", "['12']"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := object.DeepCopy()
			with(t, changed, change[0], change[1])
			refusedWith(t, plane.Client.Update(t.Context(), changed), immutable)
		})
	}
	changed := object.DeepCopy()
	changed.SetLabels(map[string]string{"team": "a"})
	if err := plane.Client.Update(t.Context(), changed); err != nil {
		t.Errorf("a label: %v", err)
	}
	for _, intent := range []string{"Deploy", "Record", "Deploy"} {
		with(t, changed, "spec.intent", intent)
		if err := plane.Client.Update(t.Context(), changed); err != nil {
			t.Errorf("intent %s: %v", intent, err)
		}
	}
}
