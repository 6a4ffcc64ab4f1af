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

var (
	commitID = strings.Repeat("0123456789", 4)
	digestID = "sha256:" + strings.Repeat("0123456789abcdef", 4)
)

func TestCheck(t *testing.T) {
	for name, tc := range map[string]struct {
		content string
		want    []string
	}{
		"a commit":               {"    - uses: actions/checkout@" + commitID + " # v5.1.0\n", nil},
		"a commit of a folder":   {"      uses: a/b/c@" + commitID + " # v1", nil},
		"our own":                {"- uses: ./.github/actions/x", nil},
		"a tag":                  {"jobs:\n    - uses: actions/checkout@v5", []string{":2: actions/checkout@v5: pin it by the 40 digits of its commit"}},
		"a branch, quoted":       {`- uses: "a/b@main"`, []string{":1: a/b@main: pin it by the 40 digits of its commit"}},
		"nothing":                {"uses: a/b", []string{":1: a/b: pin it by the 40 digits of its commit"}},
		"a short commit":         {"uses: a/b@" + commitID[1:], []string{":1: a/b@" + commitID[1:] + ": pin it by the 40 digits of its commit"}},
		"a commit of no version": {"uses: a/b@" + commitID, []string{":1: a/b@" + commitID + ": name its version behind it (# v1.2.3), which is what updates go by"}},
		"an image as an action":  {"uses: docker://a:1", []string{":1: docker://a:1: pin it by its digest (@sha256:...)"}},
		"a pinned one":           {"uses: docker://a@" + digestID, nil},
		"a base image":           {"FROM golang:1.26 AS build", []string{":1: golang:1.26: pin it by its digest (@sha256:...)"}},
		"a pinned base image":    {"FROM --platform=$BUILDPLATFORM golang:1.26@" + digestID + " AS build\nFROM build\nFROM scratch\n", nil},
		"an argument":            {"ARG BASE=a\nFROM $BASE", []string{":2: $BASE: pin it by its digest (@sha256:...)"}},
		"a word in a comment":    {"# FROM here on it uses: nothing", nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, check(tc.content)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What this repository builds with.
func TestEverythingThatABuildTakesFromElsewhereIsPinned(t *testing.T) {
	root := filepath.Join("..", "..")
	files, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range append(files, filepath.Join(root, "Dockerfile")) {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, problem := range check(string(content)) {
			t.Error(file + problem)
		}
	}
}
