// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package toolset

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// CacheDir returns the folder that all checkouts of this user share: BACKSTAY_CACHE, or backstay in the
// user's cache folder.
func CacheDir() (string, error) {
	if dir := os.Getenv("BACKSTAY_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	if dir := os.Getenv("XDG_CACHE_HOME"); dir != "" {
		return filepath.Join(dir, "backstay"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no cache folder: set BACKSTAY_CACHE: %w", err)
	}
	return filepath.Join(home, ".cache", "backstay"), nil
}

// cached is where the result of a build is kept. It is complete whenever it exists.
func cached(cache string, t tool, key string) string {
	return filepath.Join(cache, "tools", t.name, key, t.name)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// publish moves a finished result to its place. Another builder may have been faster; its result is as
// good.
func publish(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if err := os.Rename(from, to); err != nil && !exists(to) {
		return err
	}
	return nil
}

// lockFile locks a file against other processes, and calls waiting once if it has to wait. The kernel
// gives the lock back when the process ends, so that a killed build blocks nobody.
func lockFile(ctx context.Context, path string, waiting func()) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	unlock = func() { _ = f.Close() }
	if err := waitForLock(ctx, f, waiting); err != nil {
		unlock()
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	return unlock, nil
}

// waitForLock asks again and again instead of blocking in the kernel, so that Ctrl-C ends the wait.
func waitForLock(ctx context.Context, f *os.File, waiting func()) error {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for tries := 0; ; tries++ {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
		if tries == 0 {
			waiting()
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
		}
	}
}
