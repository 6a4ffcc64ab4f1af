// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package supervise starts programs that must not outlive the process that started them.
package supervise

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// Command says what to run.
type Command struct {
	Name string   // as messages call it
	Path string   // the program's file
	Args []string // without the program's own name
	Env  []string // the whole environment, nothing is inherited
	Dir  string   // working folder
	Log  string   // file to which both outputs are appended
}

// Runner starts programs and sees to it that none of them is left, not even when the calling process is
// killed with SIGKILL.
type Runner struct {
	forks     chan func()
	guard     *guard
	closeOnce sync.Once
}

// NewRunner returns a Runner. Close it when all its processes are stopped.
func NewRunner() (*Runner, error) {
	g, err := startGuard()
	if err != nil {
		return nil, err
	}
	r := &Runner{forks: make(chan func()), guard: g}
	go r.serveForks()
	return r, nil
}

// serveForks runs every fork on one OS thread that lives as long as the Runner, see ChildAttributes. The
// death signal covers the moment before the guard knows of a new child.
func (r *Runner) serveForks() {
	runtime.LockOSThread()
	for fork := range r.forks {
		fork()
	}
}

// GuardDied is closed when the guard process is gone. The caller should stop everything then.
func (r *Runner) GuardDied() <-chan struct{} { return r.guard.died }

// Close kills whatever still runs and releases the Runner's own process.
func (r *Runner) Close() {
	r.closeOnce.Do(func() {
		r.guard.close()
		close(r.forks)
	})
}

// Start starts a program and returns at once.
func (r *Runner) Start(c Command) (*Process, error) {
	log, offset, err := openLog(c.Log)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name, err)
	}
	defer log.Close()
	cmd := exec.Command(c.Path, c.Args...)
	cmd.Env, cmd.Dir = c.Env, c.Dir
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = ChildAttributes()
	if cmd.Env == nil {
		cmd.Env = []string{} // os/exec reads nil as "inherit everything"
	}
	started := make(chan error)
	r.forks <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		return nil, fmt.Errorf("%s cannot be started: %w", c.Name, err)
	}
	p := &Process{name: c.Name, cmd: cmd, log: c.Log, logOffset: offset, started: time.Now(), done: make(chan struct{})}
	watchErr := r.guard.watch(p.PID())
	go p.wait(r.guard)
	if watchErr != nil {
		p.Stop(0)
		return nil, fmt.Errorf("%s: %w", c.Name, watchErr)
	}
	return p, nil
}

// openLog opens a log for appending and returns where the new run's output begins in it.
func openLog(path string) (*os.File, int64, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, 0, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

// killGroup kills every process of a group. That the group is empty already is what it wants.
func killGroup(group int) {
	_ = syscall.Kill(-group, syscall.SIGKILL)
}

// awaitGroup waits until a killed group is empty, which takes the kernel a moment. The wait is bounded
// because a container without an init process never reaps orphans.
func awaitGroup(group int) {
	const limit, step = time.Second, 2 * time.Millisecond
	_ = wait.PollUntilContextTimeout(context.Background(), step, limit, true, func(context.Context) (bool, error) {
		return errors.Is(syscall.Kill(-group, 0), syscall.ESRCH), nil
	})
}
