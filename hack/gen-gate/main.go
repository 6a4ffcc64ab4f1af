// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Command gen-gate writes the admission policies of the gate, for the identity that config/default installs, one file
// per policy and its binding, and a kustomization that lists them.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/backstay-dr/backstay/internal/gate"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gen-gate DIRECTORY")
		os.Exit(2)
	}
	if err := generate(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "gen-gate:", err)
		os.Exit(1)
	}
}

func generate(dir string) error {
	files, err := gate.Files(gate.DefaultIdentity())
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := os.WriteFile(filepath.Join(dir, file.Name), file.Content, 0o644); err != nil {
			return err
		}
	}
	return removeOthers(dir, files)
}

// removeOthers takes away manifests of policies that are no more.
func removeOthers(dir string, files []gate.File) error {
	present, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, file := range files {
		known[file.Name] = true
	}
	for _, path := range present {
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !known[filepath.Base(path)] && bytes.HasPrefix(raw, []byte(gate.Header)) {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	return nil
}
