// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package toolset

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const hello = "package main\n\nimport \"fmt\"\n\nvar version string\n\nfunc main() { fmt.Print(\"hello \" + version) }\n"

// newCheckout returns a checkout with one tiny module, and what it provides.
func newCheckout(t *testing.T, source string) (string, []tool) {
	t.Helper()
	root := t.TempDir()
	files := map[string]string{
		// The major version in the path gives the go command another idea of the program's name.
		"go.mod": "module example.com/server/v3\n\ngo 1.26.0\n\nrequire example.com/none v1.2.3\n\nreplace example.com/none => ./none\n",
		"go.sum": "", "main.go": source,
		"none/go.mod": "module example.com/none\n\ngo 1.26.0\n", "none/none.go": "package none\n",
	}
	for name, text := range files {
		path := filepath.Join(root, "hack", "tools", "greeter", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root, []tool{{name: "greeter", module: "greeter", pkg: "example.com/server/v3",
		source: "example.com/none", version: []string{"main.version"}}}
}

func run(t *testing.T, program string) string {
	t.Helper()
	out, err := exec.Command(program).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", program, err, out)
	}
	return string(out)
}

func TestBuilderBuildsOnceForAllCheckouts(t *testing.T) {
	cache := t.TempDir()
	var mu sync.Mutex
	built := map[string]os.FileInfo{}
	var wait sync.WaitGroup
	for range 3 {
		root, tools := newCheckout(t, hello)
		wait.Go(func() {
			paths, err := (&Builder{Root: root, Cache: cache, Output: io.Discard}).ensure(t.Context(), tools)
			if err != nil {
				t.Error(err)
				return
			}
			info, err := os.Stat(paths["greeter"])
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if first, known := built[paths["greeter"]]; known && !os.SameFile(first, info) {
				t.Error("a finished program was replaced")
			}
			built[paths["greeter"]] = info
		})
	}
	wait.Wait()
	if len(built) != 1 {
		t.Fatalf("built %v, want one program for all", built)
	}
	for path := range built {
		if got, want := run(t, path), "hello v1.2.3"; got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
	}
	if left, err := filepath.Glob(filepath.Join(cache, "tools", ".new-*")); err != nil || len(left) > 0 {
		t.Errorf("scratch folders are left: %v, error %v", left, err)
	}
}

func TestBuilderUsesGivenBinaries(t *testing.T) {
	root, tools := newCheckout(t, "not even Go")
	given := t.TempDir()
	if err := os.WriteFile(filepath.Join(given, "greeter"), []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	paths, err := (&Builder{Root: root, Cache: t.TempDir(), BinDir: given, Output: io.Discard}).ensure(t.Context(), tools)
	if diff := cmp.Diff(map[string]string{"greeter": filepath.Join(given, "greeter")}, paths); err != nil || diff != "" {
		t.Errorf("error %v, paths (-want +got):\n%s", err, diff)
	}
}

func TestBuilderShowsTheGoCommandsErrors(t *testing.T) {
	broken := func(from, to string) func(*testing.T) (string, []tool) {
		return func(t *testing.T) (string, []tool) { return newCheckout(t, strings.Replace(hello, from, to, 1)) }
	}
	tests := map[string]struct {
		checkout func(*testing.T) (string, []tool)
		want     []string
	}{
		"does not compile": {broken("fmt.Print(", "missing("), []string{"building greeter", "main.go:7:15: undefined: missing"}},
		"module is not there": {func(t *testing.T) (string, []tool) {
			root, tools := newCheckout(t, hello)
			tools[0].module = "nowhere"
			return root, tools
		}, []string{"nowhere", "no such file"}},
		"go is too old": {func(t *testing.T) (string, []tool) {
			t.Setenv("GOTOOLCHAIN", "local")
			root, tools := newCheckout(t, hello)
			path := filepath.Join(root, "hack", "tools", "greeter", "go.mod")
			if err := os.WriteFile(path, []byte("module example.com/server/v3\n\ngo 1.999.0\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			return root, tools
		}, []string{"building greeter: go.mod requires go >= 1.999"}},
		"go is not installed": {func(t *testing.T) (string, []tool) {
			t.Setenv("PATH", t.TempDir())
			return newCheckout(t, hello)
		}, []string{"go is not in the PATH: install Go"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			root, tools := test.checkout(t)
			cache := t.TempDir()
			_, err := (&Builder{Root: root, Cache: cache, Output: io.Discard}).ensure(t.Context(), tools)
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q lacks %q", err, part)
				}
			}
			if built, err := filepath.Glob(filepath.Join(cache, "tools", "greeter", "*", "*")); err != nil || len(built) > 0 {
				t.Errorf("something was kept: %v, error %v", built, err)
			}
		})
	}
}

func TestBuilderWaitsForAnotherBuild(t *testing.T) {
	root, tools := newCheckout(t, hello)
	cache := t.TempDir()
	m, err := readModule(filepath.Join(root, "hack", "tools", "greeter"))
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := lockFile(t.Context(), m.lockPath(cache), func() { t.Error("nobody else can have the lock") })
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	var said bytes.Buffer
	if _, err := (&Builder{Root: root, Cache: cache, Output: &said}).ensure(ctx, tools); ctx.Err() == nil || err == nil {
		t.Errorf("error %v, want the end of the context", err)
	}
	if !strings.Contains(said.String(), "greeter is being built by another process") {
		t.Errorf("it said %q", said.String())
	}
}

func TestAnInterruptedBuildLeavesNothing(t *testing.T) {
	root, tools := newCheckout(t, hello)
	cache := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	m, err := readModule(filepath.Join(root, "hack", "tools", "greeter"))
	if err != nil {
		t.Fatal(err)
	}
	report := newProgress(io.Discard, 1)
	job := report.begin(tools)
	cancel()
	if err := m.provide(ctx, cache, tools, map[string]string{"greeter": filepath.Join(cache, "greeter")}, job); err == nil {
		t.Error("an interrupted build succeeded")
	}
	if left, err := filepath.Glob(filepath.Join(cache, "*", ".new-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, error %v", left, err)
	}
}

func TestCopyMatches(t *testing.T) {
	source, target := t.TempDir(), t.TempDir()
	for _, name := range []string{"pod-a.yaml", "pod-b.yaml", "kustomization.yaml"} {
		if err := os.WriteFile(filepath.Join(source, name), []byte(name), 0o400); err != nil {
			t.Fatal(err)
		}
	}
	if err := copyMatches(filepath.Join(source, "pod-*.yaml"), target); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(target)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if diff := cmp.Diff([]string{"pod-a.yaml", "pod-b.yaml"}, names); diff != "" {
		t.Errorf("copied (-want +got):\n%s", diff)
	}
	if err := copyMatches(filepath.Join(source, "node-*.yaml"), target); err == nil {
		t.Error("a pattern without a match must not pass unnoticed")
	}
}
