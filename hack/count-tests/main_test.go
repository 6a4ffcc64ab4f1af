// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCount(t *testing.T) {
	tests := map[string]struct {
		events string
		want   tally
	}{
		"a subtest counts beside its parent": {
			events: `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"run","Package":"p","Test":"TestA/b.c"}
{"Action":"output","Package":"p","Test":"TestA/b.c","Output":"fine\n"}
{"Action":"pass","Package":"p","Test":"TestA/b.c"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p"}`,
			want: tally{passed: 2},
		},
		"a failed test": {
			events: `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"fail","Package":"p","Test":"TestA"}
{"Action":"fail","Package":"p"}`,
			want: tally{failed: []string{"p.TestA"}},
		},
		"a package that does not build counts once": {
			events: `{"Action":"build-fail","ImportPath":"p"}
{"Action":"start","Package":"p"}
{"Action":"fail","Package":"p"}`,
			want: tally{failed: []string{"p"}},
		},
		"a test that panicked never ended": {
			events: `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"run","Package":"q","Test":"TestB"}
{"Action":"fail","Package":"p"}
{"Action":"pass","Package":"q","Test":"TestB"}`,
			want: tally{passed: 1, failed: []string{"p.TestA"}},
		},
		"a run that was cut off": {
			events: `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"run","Package":"p","Test":"TestB"}
{"Action":"outp`,
			want: tally{passed: 1, failed: []string{"p.TestB"}},
		},
		"what is no event is passed over": {
			events: `go: downloading something
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"skip","Package":"p","Test":"TestA"}
{"Action":"run","Package":"p","Test":"TestB"}
{"Action":"pass","Package":"p","Test":"TestB"}`,
			want: tally{passed: 1, skipped: []string{"p.TestA"}},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := count(strings.NewReader(tc.events))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(tally{})); diff != "" {
				t.Errorf("tally (-want +got):\n%s", diff)
			}
		})
	}
}

func TestARunWithoutTestsIsAnError(t *testing.T) {
	if _, err := count(strings.NewReader(`{"Action":"pass","Package":"p"}`)); err == nil {
		t.Error("no test ran, and count says nothing")
	}
}

func TestTheLastLineIsTheSummary(t *testing.T) {
	unit := write(t, "unit.json", `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Test":"TestA"}`)
	e2e := write(t, "e2e.json", `{"Action":"run","Package":"q","Test":"TestB"}
{"Action":"fail","Package":"q","Test":"TestB"}`)
	tests := map[string]struct {
		files  []string
		passed bool
		want   []string // the last lines
	}{
		"all passed":    {files: []string{unit}, passed: true, want: []string{"1 passed, 0 failed"}},
		"one failed":    {files: []string{unit, e2e}, want: []string{"failed: q.TestB", "1 passed, 1 failed"}},
		"one never ran": {files: []string{unit, "none.json"}, want: []string{"failed: none: its tests were not started", "1 passed, 1 failed"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			if passed := run(tc.files, &out); passed != tc.passed {
				t.Errorf("run tells %v, want %v", passed, tc.passed)
			}
			lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			got := lines[max(0, len(lines)-len(tc.want)):]
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("last lines (-want +got):\n%s", diff)
			}
		})
	}
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
