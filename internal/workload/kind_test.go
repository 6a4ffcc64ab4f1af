// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package workload_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"

	"github.com/backstay-dr/backstay/internal/workload"
	"github.com/backstay-dr/backstay/test/gen"
)

// optional are the fields that a kind may do without.
var optional = []string{".Revisions.Template", ".CEL.NotHoldable", ".CEL.WasWish"}

// Nothing else of a kind may be left out: every caller takes every field for granted.
func TestEveryKindIsComplete(t *testing.T) {
	for _, k := range workload.Kinds {
		forEmptyFields(reflect.ValueOf(*k), "", func(field string) {
			if !slices.Contains(optional, field) {
				t.Errorf("%s%s is empty", k.Name, field)
			}
		})
		if k.View(k.New(), nil).Kind != k.Name || k.View(k.New(), nil).Group != k.Group {
			t.Errorf("the view of a %s is of another kind", k.Name)
		}
		if got := workload.KindOf(workload.Key{Group: k.Group, Kind: k.Name, Name: "web"}); got != k {
			t.Errorf("KindOf finds %v for a %s", got, k.Name)
		}
		if workload.KindOf(workload.Key{Group: "example.com", Kind: k.Name}) != nil {
			t.Errorf("a %s of another group passes for one of %s", k.Name, k.Group)
		}
		for _, of := range []workload.Type{k.Type, k.Revisions.Type} {
			if list := of.NewList(); len(of.Items(list)) != 0 {
				t.Errorf("an empty list of %s has items", of.Resource)
			}
			if !of.Slim(of.New()) || !workload.Slim(of.New()) {
				t.Errorf("%s pass the cache whole", of.Resource)
			}
		}
	}
}

func forEmptyFields(v reflect.Value, path string, found func(string)) {
	for i := range v.NumField() {
		field := path + "." + v.Type().Field(i).Name
		switch f := v.Field(i); {
		case f.Kind() == reflect.Struct:
			forEmptyFields(f, field, found)
		case f.IsZero():
			found(field)
		}
	}
}

// The API lists the kinds in a marker.
func TestEveryKindIsOneOfTheAPI(t *testing.T) {
	var want []any
	for _, k := range workload.Kinds {
		want = append(want, string(k.Name))
	}
	for _, name := range []string{"drplans", "appreleases"} {
		var crd map[string]any
		read(t, &crd, "config", "crd", "bases", "dr.backstay.dev_"+name+".yaml")
		enums := enumsOfKinds(crd)
		if len(enums) == 0 {
			t.Errorf("the CRD of %s names no kind of workload", name)
		}
		for _, got := range enums {
			if !sameElements(got, want) {
				t.Errorf("the CRD of %s knows the kinds %v, and there are %v: see WorkloadKind in api/v1alpha1", name, got, want)
			}
		}
	}
}

// enumsOfKinds are the values of every property "kind" that has a closed list of them.
func enumsOfKinds(of any) [][]any {
	var out [][]any
	switch of := of.(type) {
	case map[string]any:
		for key, value := range of {
			if kind, ok := value.(map[string]any); ok && key == "kind" && kind["enum"] != nil {
				out = append(out, kind["enum"].([]any))
			}
			out = append(out, enumsOfKinds(value)...)
		}
	case []any:
		for _, value := range of {
			out = append(out, enumsOfKinds(value)...)
		}
	}
	return out
}

func sameElements(a, b []any) bool {
	contains := func(list []any) func(any) bool { return func(e any) bool { return !slices.Contains(list, e) } }
	return !slices.ContainsFunc(a, contains(b)) && !slices.ContainsFunc(b, contains(a))
}

// The role of the operator is generated from markers, one beside each kind.
func TestTheOperatorMayReadAndPatchEveryKind(t *testing.T) {
	var role rbacv1.ClusterRole
	read(t, &role, "config", "rbac", "role.yaml")
	allowed := func(of workload.Type, verb string) bool {
		return slices.ContainsFunc(role.Rules, func(r rbacv1.PolicyRule) bool {
			return slices.Contains(r.APIGroups, of.Group) && slices.Contains(r.Resources, of.Resource) && slices.Contains(r.Verbs, verb)
		})
	}
	for _, k := range workload.Kinds {
		for _, verb := range []string{"get", "list", "watch", "patch"} {
			if !allowed(k.Type, verb) {
				t.Errorf("the role does not allow to %s %s", verb, k.Resource)
			}
			if !allowed(k.Revisions.Type, verb) && verb != "patch" {
				t.Errorf("the role does not allow to %s %s", verb, k.Revisions.Resource)
			}
		}
	}
}

// Whoever uninstalls Backstay finds nothing held, and none of its annotations.
func TestUninstallationReleasesEveryKind(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "hack", "undeploy.sh"))
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(raw), "\nkinds=(\n")
	list, _, _ = strings.Cut(list, "\n)\n")
	lines := strings.Split(list, "\n")
	for _, k := range workload.Kinds {
		begins, ends := fmt.Sprintf("'%s|", k.Resource), fmt.Sprintf("|%s'", k.Revisions.Resource)
		if !slices.ContainsFunc(lines, func(line string) bool {
			line = strings.TrimSpace(line)
			return strings.HasPrefix(line, begins) && strings.HasSuffix(line, ends)
		}) {
			t.Errorf("hack/undeploy.sh has no line %s…%s among its kinds", begins, ends)
		}
	}
}

func read(t *testing.T, into any, path ...string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(append([]string{"..", ".."}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(raw, into); err != nil {
		t.Fatal(err)
	}
}

// A Deployment shows nothing of a ReplicaSet that starts without having been asked for, or that begins to serve.
func TestRevisionChanged(t *testing.T) {
	d := gen.Deployment("web")
	set := func(replicas, ready int32) *appsv1.ReplicaSet {
		rs := gen.ReplicaSet(d, 1, replicas, epoch)
		rs.Status.ReadyReplicas = ready
		return rs
	}
	other, orphan := set(1, 0), set(1, 0)
	other.Spec.Template.Spec.Containers[0].Image = "registry.example/web:other"
	orphan.OwnerReferences = nil
	changed := workload.Deployment.Revisions.Changed
	for name, tc := range map[string]struct {
		from, to *appsv1.ReplicaSet
		want     bool
	}{
		"nothing":                      {set(1, 1), set(1, 1), false},
		"its first pods":               {set(0, 0), set(1, 0), true},
		"more pods":                    {set(1, 1), set(2, 1), false},
		"scaled down":                  {set(1, 0), set(0, 0), false},
		"another template":             {set(1, 0), other, true},
		"adopted":                      {orphan, set(1, 0), true},
		"adopted without pods":         {func() *appsv1.ReplicaSet { rs := set(0, 0); rs.OwnerReferences = nil; return rs }(), set(0, 0), false},
		"its first pod is ready":       {set(1, 0), set(1, 1), true},
		"its last pod is not any more": {set(1, 1), set(1, 0), true},
		"another pod is ready":         {set(2, 1), set(2, 2), false},
	} {
		if got := changed(tc.from, tc.to); got != tc.want {
			t.Errorf("%s: changed %t, want %t", name, got, tc.want)
		}
	}
	if changed(nil, set(0, 0)) || !changed(nil, set(1, 0)) {
		t.Error("a ReplicaSet that is created counts if it has pods, and only then")
	}
}
