// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
)

// leashPrefix begins the name of the folder of links that leash makes.
const leashPrefix = "backstay-leash-"

// leashed are the programs that must not outlive the tests. envtest stops them at the end, but a test binary that
// panics, runs into its time limit or is killed leaves them running.
var leashed = []string{"etcd", "kube-apiserver"}

// leash returns a folder that stands in for that of the real programs: each is a link to this very test binary, which
// init turns into the real program, on a leash.
func leash() (dir string, err error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	if dir, err = os.MkdirTemp("", leashPrefix); err != nil {
		return "", err
	}
	for _, name := range leashed {
		if err := os.Symlink(self, filepath.Join(dir, name)); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// init makes this process the real program where it was started through a link of leash. The kernel kills it when its
// parent dies: that survives execve.
func init() {
	dir, name := filepath.Split(os.Args[0])
	inFolder, _ := filepath.Match(leashPrefix+"*", filepath.Base(dir))
	if !inFolder || !slices.Contains(leashed, name) {
		return
	}
	parent := os.Getppid()
	runtime.LockOSThread()
	_, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0)
	if errno != 0 || os.Getppid() != parent {
		fmt.Fprintln(os.Stderr, "cannot tie", name, "to the tests:", errno)
		os.Exit(1)
	}
	program := filepath.Join(os.Getenv(envAssets), name)
	fmt.Fprintln(os.Stderr, syscall.Exec(program, append([]string{program}, os.Args[1:]...), os.Environ()))
	os.Exit(1)
}
