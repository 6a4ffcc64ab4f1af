// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Command check-links finds relative links in Markdown files that lead nowhere: to a file that does not exist, or to a
// heading that its page does not have. Links into the web are not followed.
//
//	check-links README.md docs/*.md
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	broken := 0
	for _, file := range os.Args[1:] {
		problems, err := check(file)
		if err != nil {
			fmt.Fprintln(os.Stderr, "check-links:", err)
			os.Exit(1)
		}
		for _, p := range problems {
			fmt.Println(p)
		}
		broken += len(problems)
	}
	if broken > 0 {
		fmt.Fprintf(os.Stderr, "check-links: %d broken links\n", broken)
		os.Exit(1)
	}
}

// check returns a line for each broken link of a file.
func check(file string) ([]string, error) {
	p, err := readPage(file)
	if err != nil {
		return nil, err
	}
	var problems []string
	for _, l := range p.links {
		reason, err := follow(file, l.target)
		if err != nil {
			return nil, err
		}
		if reason != "" {
			problems = append(problems, fmt.Sprintf("%s:%d: %s: %s", file, l.line, l.target, reason))
		}
	}
	return problems, nil
}

// follow returns why a link leads nowhere, or "" if it leads somewhere.
func follow(from, target string) (string, error) {
	if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
		return "", nil
	}
	path, anchor, _ := strings.Cut(target, "#")
	file := from
	if path != "" {
		file = filepath.Join(filepath.Dir(from), path)
	}
	info, err := os.Stat(file)
	if os.IsNotExist(err) {
		return "no such file", nil
	}
	if err != nil || anchor == "" || info.IsDir() || filepath.Ext(file) != ".md" {
		return "", err
	}
	p, err := readPage(file)
	if err != nil {
		return "", err
	}
	if !p.anchors[anchor] {
		return "no such heading in " + file, nil
	}
	return "", nil
}
