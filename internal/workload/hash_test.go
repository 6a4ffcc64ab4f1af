// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/backstay-dr/backstay/test/gen/golden"
)

// A hash is stored, and compared by operators of later versions. Where one of these changes and the scheme does not, every
// workload looks changed after an upgrade: raise hashVersion.
func TestHashesOfTheCorpusStayAsTheyAre(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) < 4 {
		t.Fatalf("the corpus has %d templates: %v", len(files), err)
	}
	var lines strings.Builder
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		template := &corev1.PodTemplateSpec{}
		if err := yaml.UnmarshalStrict(raw, template); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		lines.WriteString(filepath.Base(file) + " " + hashVersion + " " + Digest(fingerprintOf(template).hash(nil)) + "\n")
	}
	golden.Check(t, "hashes", lines.String())
}

// The same object, as an older and as a newer k8s.io/api would read it: the newer one knows a field that the API server
// defaults. The hashes differ, and so do their schemes, so that they are not compared.
func TestLibraryThatKnowsOneMoreFieldHasAnotherScheme(t *testing.T) {
	type olderSpec struct {
		Image string `json:"image"`
	}
	type newerSpec struct {
		Image string `json:"image"`
		Field string `json:"field,omitempty"`
	}
	type older struct{ Containers []olderSpec }
	type newer struct{ Containers []newerSpec }
	type renamed struct {
		Containers []struct {
			Image string `json:"picture"`
		}
	}
	fields := map[string]string{}
	for name, of := range map[string]reflect.Type{
		"older": reflect.TypeFor[older](), "newer": reflect.TypeFor[newer](), "renamed": reflect.TypeFor[renamed](),
	} {
		if other, same := fields[fieldsOf(of)]; same {
			t.Errorf("%s and %s have the same scheme", name, other)
		}
		fields[fieldsOf(of)] = name
	}
}

// Which annotations mean a restart is part of the scheme: after a change of the plan nothing is taken for a difference.
func TestRestartAnnotationsArePartOfTheScheme(t *testing.T) {
	template := &corev1.PodTemplateSpec{}
	template.Annotations = map[string]string{"a": "1", "b": "1", "kubectl.kubernetes.io/restartedAt": "now"}
	hash := func(restart ...string) string { return fingerprintOf(template).hash(restart) }
	before := map[string]string{"none": hash(), "a": hash("a"), "both": hash("b", "a")}
	template.Annotations["a"] = "2"
	delete(template.Annotations, "kubectl.kubernetes.io/restartedAt")
	for name, same := range map[string]bool{"none": false, "a": true, "both": true} {
		after := map[string]string{"none": hash(), "a": hash("a"), "both": hash("a", "b")}[name]
		if (before[name] == after) != same {
			t.Errorf("%s: %s, then %s", name, before[name], after)
		}
	}
	if Comparable(before["a"], Scheme(nil)) || Comparable(before["none"], Scheme([]string{"a"})) || !Comparable(before["both"], Scheme([]string{"a", "b"})) {
		t.Error("the schemes are not told apart")
	}
}

// Its controller starts new pods for it, and so the gate holds it. With the same hash it would look like a revert, which is
// released at once.
func TestWhateverElseATemplatesMetadataHoldsIsPartOfItsHash(t *testing.T) {
	hash := func(change func(*corev1.PodTemplateSpec)) string {
		template := &corev1.PodTemplateSpec{}
		change(template)
		return fingerprintOf(template).hash(nil)
	}
	plain := hash(func(*corev1.PodTemplateSpec) {})
	for name, change := range map[string]func(*corev1.PodTemplateSpec){
		"a name":      func(t *corev1.PodTemplateSpec) { t.Name = "web" },
		"a finalizer": func(t *corev1.PodTemplateSpec) { t.Finalizers = []string{"example.com/f"} },
		"a label":     func(t *corev1.PodTemplateSpec) { t.Labels = map[string]string{"a": "b"} },
	} {
		if hash(change) == plain {
			t.Errorf("%s changes nothing", name)
		}
	}
}
