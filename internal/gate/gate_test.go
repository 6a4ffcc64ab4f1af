// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	"sigs.k8s.io/yaml"
)

func TestConfigGateIsGeneratedFromThisPackage(t *testing.T) {
	files, err := Files(DefaultIdentity())
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join("..", "..", "config", "gate")
	var names []string
	for _, file := range files {
		names = append(names, file.Name)
		got, err := os.ReadFile(filepath.Join(dir, file.Name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(file.Content), string(got)); diff != "" {
			t.Errorf("%s is stale: run make manifests (-generated +stored):\n%s", file.Name, diff)
		}
	}
	stored, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(stored) != len(names) {
		t.Errorf("config/gate holds %v, generated were %v", stored, names)
	}
}

func TestEveryBindingFollowsItsPolicy(t *testing.T) {
	objects := Objects(DefaultIdentity())
	if len(objects)%2 != 0 {
		t.Fatalf("%d objects are no pairs", len(objects))
	}
	for _, pair := range pairs(objects) {
		var policyName string
		switch binding := pair[1].(type) {
		case *admissionv1.MutatingAdmissionPolicyBinding:
			policyName = binding.Spec.PolicyName
		case *admissionv1.ValidatingAdmissionPolicyBinding:
			policyName = binding.Spec.PolicyName
		}
		if pair[0].GetName() != policyName {
			t.Errorf("%s is followed by a binding to %q", identify(pair[0]), policyName)
		}
		if !strings.HasPrefix(policyName, "backstay-") {
			t.Errorf("%s: its name does not tell whose it is", identify(pair[0]))
		}
	}
}

func TestAnotherIdentityIsExempted(t *testing.T) {
	var out bytes.Buffer
	if err := WriteYAML(&out, Objects(Identity{Namespace: "dr", ServiceAccount: "keeper"})...); err != nil {
		t.Fatal(err)
	}
	// Ten times for each kind, once more in the policy that restores a partition, and in each of the three that bound it otherwise.
	if got := strings.Count(out.String(), "system:serviceaccount:dr:keeper"); got != 24 {
		t.Errorf("the identity occurs %d times, not in every policy", got)
	}
	if strings.Contains(out.String(), DefaultIdentity().Username()) {
		t.Error("the default identity is exempted as well")
	}
}

func TestYAMLIsWhatIsComparedWith(t *testing.T) {
	for _, object := range Objects(DefaultIdentity()) {
		raw, err := toYAML(object)
		if err != nil {
			t.Fatal(err)
		}
		read := object.DeepCopyObject().(Object)
		clear(read.GetLabels())
		if err := yaml.UnmarshalStrict(raw, read); err != nil {
			t.Fatalf("%s: %v", identify(object), err)
		}
		if diff := cmp.Diff(object, read); diff != "" {
			t.Errorf("%s changed on its way through YAML:\n%s", identify(object), diff)
		}
	}
}

// Expressions are read in YAML as well: a name that was not filled in, or a stray blank, shows there.
func TestExpressionsAreFilledIn(t *testing.T) {
	var out bytes.Buffer
	if err := WriteYAML(&out, Objects(DefaultIdentity())...); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"HELD_", "WISH", "OVERRID", "ADMITTED", "EVALUATED", "COUNTED", "MAX", "OPERATORS", "MARKS", "NEW_WITHOUT", "MOST", "RECORD", "ANNOTATION", "GROUP",
		"VERB", "HOLD", "TEMPLATE", "RESTARTS", "OTHERS", "OURS", "CLUSTER", "NAMESPACE", "IDENTITY", "VERSION", "MIXED", "TOUCHED",
		"FAILED", "FIELD", "CREATED_BY", "ATTEST", "%!", "|2",
	} {
		if strings.Contains(out.String(), name) {
			t.Errorf("%q stands in the manifests", name)
		}
	}
}
