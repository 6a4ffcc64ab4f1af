// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package toolset

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// keyVersion changes when the same inputs must give another result.
const keyVersion = "1"

// module is one pinned module below hack/tools.
type module struct {
	dir   string
	goMod []byte
	goSum []byte
}

func readModule(dir string) (module, error) {
	goMod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return module{}, fmt.Errorf("pinned module: %w", err)
	}
	goSum, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	if err != nil {
		return module{}, fmt.Errorf("pinned module: %w", err)
	}
	return module{dir: dir, goMod: goMod, goSum: goSum}, nil
}

// version returns the version of a module that go.mod requires, or "" if it does not.
func (m module) version(path string) string {
	for line := range strings.Lines(string(m.goMod)) {
		fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(fields) >= 2 && fields[0] == path && strings.HasPrefix(fields[1], "v") {
			return fields[1]
		}
	}
	return ""
}

// key identifies the result of building a tool: whatever changes the result changes the key.
func (m module) key(t tool, goEnv []string) string {
	parts := []string{keyVersion, string(m.goMod), string(m.goSum), t.pkg, strings.Join(t.files, " ")}
	parts = append(parts, t.buildFlags(m)...)
	parts = append(parts, goEnv...)
	return hashOf(parts...)
}

// lockPath is the file that two builds of the same module contend for.
func (m module) lockPath(cache string) string {
	return filepath.Join(cache, "tools", "locks", hashOf(string(m.goMod), string(m.goSum)))
}

func hashOf(parts ...string) string {
	hash := sha256.New()
	for _, part := range parts {
		// The length keeps two neighbouring parts from reading like two others.
		fmt.Fprintf(hash, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(hash.Sum(nil))[:16]
}

// buildFlags are the flags that decide the result.
func (t tool) buildFlags(m module) []string {
	return []string{
		"-trimpath", "-buildvcs=false", "-gcflags=all=-dwarf=false",
		"-ldflags=" + t.linkerFlags(m.version(t.source)),
	}
}
