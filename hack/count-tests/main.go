// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Command count-tests reads what `go test -json` wrote, of one or more runs, and prints as its last line how many tests
// passed and how many failed, alone on the line. It exits non-zero if any failed. A run that tells of no test counts as one
// failure: it never came to its tests.
//
//	count-tests unit.json integration.json e2e.json
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// event is what is needed of a test2json event.
type event struct {
	Action  string
	Package string
	Test    string
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "count-tests: name the files that go test -json wrote")
		os.Exit(2)
	}
	if !run(os.Args[1:], os.Stdout) {
		os.Exit(1)
	}
}

// run prints the summary and tells whether every test passed.
func run(files []string, out io.Writer) bool {
	var total tally
	for _, name := range files {
		label := strings.TrimSuffix(filepath.Base(name), ".json")
		suite, err := countFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			err = errors.New("its tests were not started")
		}
		if err != nil {
			suite = tally{failed: []string{label + ": " + err.Error()}}
		}
		fmt.Fprintf(out, "%-12s %4d passed %4d failed\n", label, suite.passed, len(suite.failed))
		total.add(suite)
	}
	for _, name := range total.skipped {
		fmt.Fprintln(out, "skipped:", name)
	}
	for _, name := range total.failed {
		fmt.Fprintln(out, "failed:", name)
	}
	fmt.Fprintf(out, "%d passed, %d failed\n", total.passed, len(total.failed))
	return len(total.failed) == 0
}

func countFile(name string) (tally, error) {
	f, err := os.Open(name)
	if err != nil {
		return tally{}, err
	}
	defer f.Close()
	return count(f)
}

// count reads one run. A line that is no event is output of a program that wrote past the test framework.
func count(r io.Reader) (tally, error) {
	c := counter{open: map[test]bool{}, failedIn: map[string]bool{}}
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		var e event
		if json.Unmarshal(line, &e) == nil {
			c.see(e)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return tally{}, err
		}
	}
	t := c.close()
	if t.passed+len(t.failed) == 0 {
		return tally{}, errors.New("no test ran")
	}
	return t, nil
}
