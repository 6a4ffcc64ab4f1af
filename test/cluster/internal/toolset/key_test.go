// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package toolset

import (
	"os"
	"path/filepath"
	"testing"
)

const goMod = "module example.com/pinned\n\ngo 1.26.0\n\nrequire (\n\tk8s.io/kubernetes v1.37.2 // indirect\n)\n"

func writeModule(t *testing.T, goMod, goSum string) module {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": goMod, "go.sum": goSum} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m, err := readModule(dir)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestKeyChangesWithWhateverChangesTheProgram(t *testing.T) {
	env := []string{"go1.26.8", "linux", "amd64"}
	program := kubernetes(Kubectl)
	base := writeModule(t, goMod, "sum\n").key(program, env)
	otherFlags, files := program, program
	otherFlags.version = nil
	files.files = []string{"*.yaml"}
	tests := map[string]struct {
		key  string
		same bool
	}{
		"the same in another checkout": {writeModule(t, goMod, "sum\n").key(program, env), true},
		"go.sum":                       {writeModule(t, goMod, "other sum\n").key(program, env), false},
		"go.mod":                       {writeModule(t, goMod+"\n// more", "sum\n").key(program, env), false},
		"text moved to the next file":  {writeModule(t, goMod+"sum", "\n").key(program, env), false},
		"package":                      {writeModule(t, goMod, "sum\n").key(kubernetes(KubeScheduler), env), false},
		"linker flags":                 {writeModule(t, goMod, "sum\n").key(otherFlags, env), false},
		"files":                        {writeModule(t, goMod, "sum\n").key(files, env), false},
		"toolchain":                    {writeModule(t, goMod, "sum\n").key(program, []string{"go1.27.0", "linux", "amd64"}), false},
		"architecture":                 {writeModule(t, goMod, "sum\n").key(program, []string{"go1.26.8", "linux", "arm64"}), false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if same := test.key == base; same != test.same {
				t.Errorf("same key: %v, want %v", same, test.same)
			}
		})
	}
}

func TestModuleVersion(t *testing.T) {
	tests := map[string]struct{ goMod, want string }{
		"in a block":        {goMod, "v1.37.2"},
		"on a line":         {"module m\nrequire k8s.io/kubernetes v1.38.0\n", "v1.38.0"},
		"only replaced":     {"module m\nreplace k8s.io/kubernetes => ../kubernetes\n", ""},
		"another of a like": {"module m\nrequire k8s.io/kubernetes/staging v1.0.0\n", ""},
		"not at all":        {"module m\n", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := (module{goMod: []byte(test.goMod)}).version("k8s.io/kubernetes"); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestLinkerFlagsStampTheVersion(t *testing.T) {
	const component = "k8s.io/component-base/version."
	want := "-s -w -X " + component + "gitVersion=v1.37.2 -X " + component + "gitMajor=1 -X " + component + "gitMinor=37"
	if got := kubernetes(Kubectl).linkerFlags("v1.37.2"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got, want := (tool{module: "etcd"}).linkerFlags(""), "-s -w"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestCatalogIsPinned compares the catalog with the modules that it names.
func TestCatalogIsPinned(t *testing.T) {
	root, err := FindRoot()
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range catalog {
		t.Run(tool.name, func(t *testing.T) {
			m, err := readModule(filepath.Join(root, "hack", "tools", tool.module))
			if err != nil {
				t.Fatal(err)
			}
			if tool.source != "" && m.version(tool.source) == "" {
				t.Errorf("%s does not require %s", tool.module, tool.source)
			}
		})
	}
}
