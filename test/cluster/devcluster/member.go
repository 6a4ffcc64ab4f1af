// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package devcluster

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/backstay-dr/backstay/test/cluster/internal/control"
	"github.com/backstay-dr/backstay/test/cluster/internal/supervise"
)

const (
	tailLines    = 15
	readyLimit   = 2 * time.Minute
	readyPoll    = 50 * time.Millisecond
	readyAttempt = 5 * time.Second
	defaultGrace = 10 * time.Second
)

// ProgramDiedError tells that a program ended which should have gone on.
type ProgramDiedError struct {
	Program string
	Outcome string // for example "exit status 1"
	Log     string // its log file
	Tail    string // the last lines of the log
}

func (e *ProgramDiedError) Error() string {
	return fmt.Sprintf("%s died (%s). The last lines of %s:\n%s", e.Program, e.Outcome, e.Log, e.Tail)
}

// member is a program and what has become of it.
type member struct {
	name       string
	essential  bool          // the cluster fails when it dies
	transition chan struct{} // held while the program is being started or stopped

	// The cluster's mutex guards what follows.
	program Program
	state   control.ProgramState
	run     *run
	message string
}

// run is one process of a member.
type run struct {
	*supervise.Process
	meant   bool          // its end was asked for
	settled chan struct{} // closed when the process is gone and the member's state says so
}

func newMember(p Program, essential bool) *member {
	return &member{name: p.Name, essential: essential, transition: make(chan struct{}, 1), program: p, state: control.StateStopped}
}

// lock waits for other callers that start or stop the same program.
func (m *member) lock(ctx context.Context) error {
	select {
	case m.transition <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s is being started or stopped: %w", m.name, ctx.Err())
	}
}

func (m *member) unlock() { <-m.transition }

// launch starts a member and returns when it is ready. The caller holds the member's lock.
func (c *Cluster) launch(ctx context.Context, m *member) error {
	r, err := c.fork(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	if err := c.awaitReady(ctx, m, r); err != nil {
		c.halt(r, 0)
		return err
	}
	c.mu.Lock()
	if m.state == control.StateStarting {
		m.state = control.StateReady
	}
	c.mu.Unlock()
	c.record()
	c.say("%s is ready after %s", m.name, time.Since(r.StartTime()).Round(10*time.Millisecond))
	return nil
}

// fork starts the member's process. Nothing is started any more once the cluster stops.
func (c *Cluster) fork(m *member) (*run, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := context.Cause(c.life); err != nil {
		return nil, err
	}
	process, err := c.runner.Start(supervise.Command{
		Name: m.name, Path: m.program.Path, Args: m.program.Args,
		Env: c.environment(m.program.Env), Dir: c.path("home"), Log: c.logPath(m.name),
	})
	if err != nil {
		return nil, err
	}
	r := &run{Process: process, settled: make(chan struct{})}
	m.run, m.state, m.message = r, control.StateStarting, ""
	go c.watch(m, r)
	return r, nil
}

// environment is small on purpose: a developer's KUBECONFIG, AWS or proxy settings must not reach into the
// cluster.
func (c *Cluster) environment(more []string) []string {
	return append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + c.path("home"), "TMPDIR=" + c.path("tmp")}, more...)
}

func (c *Cluster) logPath(name string) string { return c.path("logs", name+".log") }

// awaitReady polls until the member is ready, has died, or the context ends.
func (c *Cluster) awaitReady(ctx context.Context, m *member, r *run) error {
	if m.program.Ready == nil {
		return nil
	}
	ticker := time.NewTicker(readyPoll)
	defer ticker.Stop()
	for {
		attempt, cancel := context.WithTimeout(ctx, readyAttempt)
		err := m.program.Ready(attempt)
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-r.Done():
			return c.died(m, r)
		case <-c.life.Done():
			return context.Cause(c.life)
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready (%w): %w. The last lines of %s:\n%s", m.name,
				context.Cause(ctx), err, c.logPath(m.name), r.Tail(tailLines))
		case <-ticker.C:
		}
	}
}

func (c *Cluster) died(m *member, r *run) *ProgramDiedError {
	return &ProgramDiedError{
		Program: m.name, Outcome: r.Outcome(), Log: c.logPath(m.name), Tail: r.Tail(tailLines),
	}
}

// watch notices the end of a process and decides what it means.
func (c *Cluster) watch(m *member, r *run) {
	<-r.Done()
	c.mu.Lock()
	meant := r.meant || c.life.Err() != nil
	if meant {
		m.state = control.StateStopped
	} else {
		m.state, m.message = control.StateDied, r.Outcome()
	}
	c.mu.Unlock()
	c.record()
	close(r.settled)
	if meant {
		return
	}
	if err := c.died(m, r); m.essential {
		c.stop(err)
	} else {
		c.say("%v", err)
	}
}

// halt ends a process on purpose and returns when it is gone.
func (c *Cluster) halt(r *run, grace time.Duration) {
	c.setMeant(r)
	r.Stop(grace)
	<-r.settled
}

// kill ends a process by a signal that it cannot or will not survive.
func (c *Cluster) kill(ctx context.Context, m *member, r *run, signal syscall.Signal) error {
	c.setMeant(r)
	if err := r.Signal(signal); err != nil {
		return err
	}
	select {
	case <-r.settled:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s still runs after %v: %w", m.name, signal, ctx.Err())
	}
}

func (c *Cluster) setMeant(r *run) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r.meant = true
}

// running returns the member's process if it has one that has not ended.
func (c *Cluster) running(m *member) (*run, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return m.run, m.state == control.StateStarting || m.state == control.StateReady
}

// startTime is when the current run of a program began.
func (c *Cluster) startTime(name string) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.members {
		if m.name == name && m.run != nil {
			return m.run.StartTime()
		}
	}
	return time.Time{}
}
