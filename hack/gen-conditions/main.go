// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Command gen-conditions writes docs/conditions.md from the constants in api/v1alpha1 and their comments, so that the page
// cannot drift from the code.
//
//	gen-conditions api/v1alpha1 > docs/conditions.md
package main

import (
	"fmt"
	"io"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gen-conditions <folder of the API package>")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "gen-conditions:", err)
		os.Exit(1)
	}
}

func run(dir string, out io.Writer) error {
	groups, err := parse(dir)
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, render(groups))
	return err
}
