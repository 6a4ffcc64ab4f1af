// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Command check-pins finds what a build takes from elsewhere by a name that somebody can point at something else: an action of
// a workflow that is not pinned by its commit, a base image that is not pinned by its digest.
//
//	check-pins Dockerfile .github/workflows/*.yml
package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

func main() {
	loose := 0
	for _, file := range os.Args[1:] {
		content, err := os.ReadFile(file)
		if err != nil {
			fmt.Fprintln(os.Stderr, "check-pins:", err)
			os.Exit(1)
		}
		for _, problem := range check(string(content)) {
			fmt.Println(file + problem)
			loose++
		}
	}
	if loose > 0 {
		fmt.Fprintf(os.Stderr, "check-pins: %d references are not pinned\n", loose)
		os.Exit(1)
	}
}

var (
	uses   = regexp.MustCompile(`^\s*(?:-\s+)?uses:\s*(\S+)(.*)$`)
	from   = regexp.MustCompile(`^(?i:from)\s+(.*)$`)
	commit = regexp.MustCompile(`@[0-9a-f]{40}$`)
	digest = regexp.MustCompile(`@sha256:[0-9a-f]{64}$`)
)

// check returns a line for each reference of a file that is not pinned.
func check(content string) []string {
	var problems []string
	stages := map[string]bool{"scratch": true}
	for i, line := range strings.Split(content, "\n") {
		reason := ""
		if m := uses.FindStringSubmatch(line); m != nil {
			reason = checkAction(strings.Trim(m[1], `"'`), m[2])
		} else if m := from.FindStringSubmatch(line); m != nil {
			reason = checkImage(m[1], stages)
		}
		if reason != "" {
			problems = append(problems, fmt.Sprintf(":%d: %s", i+1, reason))
		}
	}
	return problems
}

// checkAction returns why a reference to an action is loose. One of the same repository is as pinned as that is.
func checkAction(action, rest string) string {
	switch {
	case strings.HasPrefix(action, "./"):
		return ""
	case strings.HasPrefix(action, "docker://"):
		if !digest.MatchString(action) {
			return action + ": pin it by its digest (@sha256:...)"
		}
	case !commit.MatchString(action):
		return action + ": pin it by the 40 digits of its commit"
	case !strings.HasPrefix(strings.TrimSpace(rest), "# v"):
		return action + ": name its version behind it (# v1.2.3), which is what updates go by"
	}
	return ""
}

// checkImage returns why the image of a stage is loose, and remembers the stage.
func checkImage(arguments string, stages map[string]bool) string {
	words := strings.Fields(arguments)
	for len(words) > 0 && strings.HasPrefix(words[0], "--") {
		words = words[1:]
	}
	if len(words) == 0 {
		return ""
	}
	known := stages[words[0]]
	if len(words) == 3 && strings.EqualFold(words[1], "as") {
		stages[words[2]] = true
	}
	if known || digest.MatchString(words[0]) {
		return ""
	}
	return words[0] + ": pin it by its digest (@sha256:...)"
}
