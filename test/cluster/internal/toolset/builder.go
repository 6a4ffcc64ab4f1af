// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package toolset

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Builder provides the programs of one checkout.
type Builder struct {
	Root   string    // the checkout
	Cache  string    // folder shared by all checkouts, see CacheDir
	BinDir string    // folder of release binaries, used instead of building; may be empty
	Output io.Writer // progress
}

// NewBuilder returns a Builder for the checkout that the working directory belongs to.
func NewBuilder(binDir string, output io.Writer) (*Builder, error) {
	root, err := FindRoot()
	if err != nil {
		return nil, err
	}
	cache, err := CacheDir()
	if err != nil {
		return nil, err
	}
	if binDir == "" {
		binDir = os.Getenv("BACKSTAY_BIN_DIR")
	}
	if binDir != "" {
		if info, err := os.Stat(binDir); err != nil || !info.IsDir() {
			return nil, fmt.Errorf("folder of binaries %s does not exist", binDir)
		}
		if binDir, err = filepath.Abs(binDir); err != nil {
			return nil, err
		}
	}
	return &Builder{Root: root, Cache: cache, BinDir: binDir, Output: output}, nil
}

// FindRoot returns the checkout that the working directory belongs to.
func FindRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if exists(filepath.Join(dir, "hack", "tools", "kubernetes", "go.mod")) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no hack/tools here or above: run this inside a checkout of Backstay")
		}
	}
}

// Ensure returns where each program or folder is, after building what is missing.
func (b *Builder) Ensure(ctx context.Context, names ...string) (map[string]string, error) {
	tools, err := lookup(names)
	if err != nil {
		return nil, err
	}
	return b.ensure(ctx, tools)
}

func (b *Builder) ensure(ctx context.Context, tools []tool) (_ map[string]string, err error) {
	paths := map[string]string{}
	var missing []tool
	modules := map[string]module{}
	goEnv := map[string][]string{}
	for _, t := range tools {
		if given := filepath.Join(b.BinDir, t.name); b.BinDir != "" && exists(given) {
			paths[t.name] = given
			continue
		}
		if _, known := modules[t.module]; !known {
			if modules[t.module], goEnv[t.module], err = b.inspect(ctx, t.module); err != nil {
				return nil, err
			}
		}
		m := modules[t.module]
		paths[t.name] = cached(b.Cache, t, m.key(t, goEnv[t.module]))
		if !exists(paths[t.name]) {
			missing = append(missing, t)
		}
	}
	if len(missing) == 0 {
		return paths, nil
	}
	return paths, b.build(ctx, missing, modules, paths)
}

// Assets returns a folder with just the programs that tests on a bare API server need.
func (b *Builder) Assets(ctx context.Context) (string, error) {
	paths, err := b.Ensure(ctx, Assets...)
	if err != nil {
		return "", err
	}
	key := ""
	for _, name := range slices.Sorted(maps.Keys(paths)) {
		key += paths[name] + "\n"
	}
	dir := filepath.Join(b.Cache, "assets", hashOf(key))
	if exists(dir) {
		return dir, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	scratch, err := os.MkdirTemp(filepath.Dir(dir), ".new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(scratch)
	for name, path := range paths {
		if err := os.Symlink(path, filepath.Join(scratch, name)); err != nil {
			return "", err
		}
	}
	return dir, publish(scratch, dir)
}

// inspect reads a module and asks which toolchain would build it.
func (b *Builder) inspect(ctx context.Context, name string) (module, []string, error) {
	m, err := readModule(filepath.Join(b.Root, "hack", "tools", name))
	if err != nil {
		return module{}, nil, err
	}
	goEnv, err := m.goEnv(ctx)
	return m, goEnv, err
}

// build runs the builds, at most two at once: each keeps several processes busy itself.
func (b *Builder) build(ctx context.Context, missing []tool, modules map[string]module, paths map[string]string) error {
	const atOnce = 2
	report := newProgress(b.Output, len(missing))
	stop := report.start(time.Now())
	defer stop()
	return runBatches(ctx, atOnce, batches(missing), func(ctx context.Context, batch []tool) (err error) {
		m := modules[batch[0].module]
		unlock, err := lockFile(ctx, m.lockPath(b.Cache), func() { report.waiting(batch) })
		if err != nil {
			return err
		}
		defer unlock()
		job := report.begin(batch)
		defer func() { job.end(err == nil) }()
		batch = slices.DeleteFunc(batch, func(t tool) bool { return exists(paths[t.name]) })
		if len(batch) == 0 {
			return nil // Another checkout has built it while this one waited.
		}
		return m.provide(ctx, b.Cache, batch, paths, job)
	})
}
