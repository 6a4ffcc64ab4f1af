// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package toolset

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestProgressLine(t *testing.T) {
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	p := newProgress(nil, 9)
	p.began = began
	check := func(after time.Duration, want string) {
		t.Helper()
		if got := p.line(began.Add(after)); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	check(0, "build: 0s, 0 of 9 done")
	servers := p.begin([]tool{kubernetes(KubeAPIServer), kubernetes(Kubectl)})
	velero := p.begin([]tool{{name: Velero}})
	servers.follow(strings.NewReader("a/b\na/c\n"))
	check(15*time.Second, "build: 15s, 0 of 9 done, now kube-apiserver and kubectl (2 packages), velero (0 packages)")
	servers.end(true)
	check(75*time.Second, "build: 1m15s, 2 of 9 done, now velero (0 packages)")
	velero.end(false)
	check(76*time.Second, "build: 1m16s, 2 of 9 done")
}

func TestReadMessages(t *testing.T) {
	many := strings.Repeat("file.go:1: wrong\n", errorLines+5)
	tests := map[string]struct {
		output   string
		compiled int
		want     []string
	}{
		"packages are counted":     {"k8s.io/api/core/v1\nvendor/golang.org/x/net\n", 2, nil},
		"downloads are not errors": {"go: downloading k8s.io/api v0.37.2\n", 0, nil},
		"errors are kept":          {"a/b\n# a/b\na/b/c.go:7:2: undefined: x\n", 1, []string{"# a/b", "a/b/c.go:7:2: undefined: x"}},
		"only the last of many":    {many, 0, strings.Split(strings.TrimSuffix(strings.Repeat("file.go:1: wrong\n", errorLines), "\n"), "\n")},
		"a very long line":         {strings.Repeat("x ", 100_000) + "\n", 0, []string{strings.Repeat("x ", 100_000)}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			compiled := 0
			got := readMessages(strings.NewReader(test.output), func() { compiled++ })
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
			if compiled != test.compiled {
				t.Errorf("%d packages, want %d", compiled, test.compiled)
			}
		})
	}
}
