// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backstay-dr/backstay/internal/gate"
)

// What is wrong with the arguments is said in one line that tells what to do.
func TestWrongArgumentsAreToldInOneLine(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"unknown flag":              {[]string{"--velero-ns=x"}, "flag provided but not defined: -velero-ns (see: backstay --help)"},
		"unknown command":           {[]string{"gates"}, `unknown command "gates" (see: backstay --help)`},
		"no worker":                 {[]string{"--workers=0"}, "--workers must be at least 1"},
		"workers in words":          {[]string{"--workers=many"}, `invalid value "many" for flag -workers`},
		"gate: unknown flag":        {[]string{"gate", "--ns=x"}, "(see: backstay gate --help)"},
		"gate: no name":             {[]string{"gate", "--namespace=A B"}, `--namespace="A B" is no name`},
		"gate: an argument":         {[]string{"gate", "now"}, `unknown command "now"`},
		"version: an argument":      {[]string{"version", "now"}, `unknown command "now"`},
		"gate: an account, no name": {[]string{"gate", "--service-account="}, `--service-account="" is no name`},
	} {
		t.Run(name, func(t *testing.T) {
			err := run(t.Context(), tc.args)
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("run(%q) = %v, want one line with %q", tc.args, err, tc.want)
			}
		})
	}
}

func TestHelpIsNoError(t *testing.T) {
	for _, args := range [][]string{{"help"}, {"--help"}, {"gate", "-h"}} {
		if err := run(t.Context(), args); !errors.Is(err, flag.ErrHelp) {
			t.Errorf("run(%q) = %v", args, err)
		}
	}
}

func TestWithoutAClusterTheOperatorSaysHowToNameOne(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	if err := run(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "set --kubeconfig or KUBECONFIG") {
		t.Errorf("run() = %v", err)
	}
}

// `backstay gate` prints for the default identity what config/gate holds, and names another one where it is asked to.
func TestGatePrintsThePolicies(t *testing.T) {
	var out bytes.Buffer
	if err := printGate(nil, &out); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join("..", "..", "config", "gate", "*-*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for part := range strings.SplitSeq(strings.TrimPrefix(string(content), gate.Header), "---\n") {
			if !strings.Contains(out.String(), part) {
				t.Errorf("it does not print all of %s", file)
			}
		}
	}
	out.Reset()
	if err := printGate([]string{"--namespace=platform", "--service-account=dr"}, &out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "system:serviceaccount:platform:dr") || strings.Contains(out.String(), gate.DefaultIdentity().Username()) {
		t.Error("the policies do not name the identity that was asked for")
	}
}
