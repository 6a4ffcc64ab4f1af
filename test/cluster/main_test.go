// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backstay-dr/backstay/test/cluster/internal/control"
)

func TestParseTakesFlagsAnywhere(t *testing.T) {
	tests := map[string]struct {
		args   []string
		follow bool
		name   string
		rest   []string
	}{
		"none":             {nil, false, "", nil},
		"before":           {[]string{"-f", "--name", "demo", "velero"}, true, "demo", []string{"velero"}},
		"behind":           {[]string{"velero", "-f", "--name=demo"}, true, "demo", []string{"velero"}},
		"between":          {[]string{"a", "-f", "b"}, true, "", []string{"a", "b"}},
		"not behind a --":  {[]string{"--name=demo", "--", "/app", "-f", "--name=x"}, false, "demo", []string{"/app", "-f", "--name=x"}},
		"-- after a value": {[]string{"a", "--name", "demo", "--", "-f"}, false, "demo", []string{"a", "-f"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			flags := flag.NewFlagSet("test", flag.ContinueOnError)
			follow, name := flags.Bool("f", false, ""), flags.String("name", "", "")
			rest, err := parse(flags, test.args)
			if err != nil {
				t.Fatal(err)
			}
			if *follow != test.follow || *name != test.name {
				t.Errorf("f %v, name %q; want %v, %q", *follow, *name, test.follow, test.name)
			}
			if diff := cmp.Diff(test.rest, rest); diff != "" {
				t.Errorf("rest (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStartRequest(t *testing.T) {
	tests := map[string]struct {
		name string
		args []string
		want control.StartRequest
		ok   bool
	}{
		"again":           {"", []string{"velero"}, control.StartRequest{Name: "velero"}, true},
		"added":           {"app", []string{"/bin/sh", "-v"}, control.StartRequest{Name: "app", Path: "/bin/sh", Args: []string{"-v"}, Env: []string{"A=b,c"}, ReadyURL: "http://x"}, true},
		"nothing named":   {"", nil, control.StartRequest{}, false},
		"two named":       {"", []string{"velero", "etcd"}, control.StartRequest{}, false},
		"without program": {"app", nil, control.StartRequest{}, false},
		"no such file":    {"app", []string{"/nonexistent/app"}, control.StartRequest{}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := startRequest(test.name, words{"A=b,c"}, "http://x", test.args)
			if ok := err == nil; ok != test.ok {
				t.Fatalf("error %v, want one: %v", err, !test.ok)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryCommandExplainsItself(t *testing.T) {
	for _, c := range commands() {
		t.Run(c.name, func(t *testing.T) {
			flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
			c.setup(flags)
			var text strings.Builder
			commandUsage(&text, c, flags)
			if c.summary == "" || !strings.Contains(text.String(), "Usage: cluster "+c.name) {
				t.Errorf("help:\n%s", text.String())
			}
			flags.VisitAll(func(f *flag.Flag) {
				if f.Usage == "" {
					t.Errorf("flag %s is not explained", f.Name)
				}
			})
		})
	}
}

func TestBadCommandLines(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	tests := map[string]struct {
		args []string
		want string
	}{
		"unknown command":       {[]string{"launch"}, `unknown command "launch"`},
		"unknown flag":          {[]string{"up", "--detatch"}, "flag provided but not defined: -detatch (see: cluster up -h)"},
		"too many arguments":    {[]string{"down", "demo"}, `unexpected argument "demo"`},
		"bad name":              {[]string{"status", "--name", "A"}, "must be at most 32 lower-case letters"},
		"unknown program":       {[]string{"bin", "kubelet"}, "name one program: kube-apiserver, kubectl"},
		"unknown program built": {[]string{"build", "--only", "kubelet"}, `unknown program "kubelet"`},
		"missing folder":        {[]string{"build", "--bin-dir", missing}, "folder of binaries " + missing + " does not exist"},
		"no nodes":              {[]string{"up", "--nodes", "0"}, "need at least one node"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Setenv("BACKSTAY_CACHE", t.TempDir())
			err := run(t.Context(), test.args)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestShowStatusRefusesUnknownFormats(t *testing.T) {
	if err := showStatus(io.Discard, control.Status{}, "yaml"); err == nil || !strings.Contains(err.Error(), "must be json") {
		t.Errorf("unexpected error: %v", err)
	}
}
