// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package devcluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/backstay-dr/backstay/test/cluster/internal/control"
)

// Program is something that runs beside the cluster's own programs, under the same supervision. When it
// dies, the cluster goes on and says so.
type Program struct {
	Name  string
	Path  string
	Args  []string
	Env   []string                    // added to PATH, HOME and TMPDIR; nothing else is inherited
	Port  int                         // shown by status
	Ready func(context.Context) error // polled until it returns nil; nil: ready when it runs
	Grace time.Duration               // from SIGTERM to SIGKILL; default 10 s
}

var validProgramName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// Run starts a program and returns when it is ready. A stopped or dead program of the same name is replaced.
func (c *Cluster) Run(ctx context.Context, p Program) error {
	if !validProgramName.MatchString(p.Name) {
		return fmt.Errorf("program name %q must be at most 63 lower-case letters, digits and dashes", p.Name)
	}
	m, err := c.adopt(p)
	if err != nil {
		return err
	}
	return c.startMember(ctx, m, &p)
}

// StartProgram starts a stopped or dead program again and returns when it is ready.
func (c *Cluster) StartProgram(ctx context.Context, name string) error {
	m, err := c.find(name)
	if err != nil {
		return err
	}
	return c.startMember(ctx, m, nil)
}

// StopProgram asks a program to end, and returns when it is gone. The cluster goes on without it.
func (c *Cluster) StopProgram(ctx context.Context, name string) error {
	return c.finish(ctx, name, func(m *member, r *run) error {
		c.halt(r, c.grace(m))
		return nil
	})
}

// KillProgram sends a signal that ends the program, and returns when it is gone. The cluster goes on without
// it.
func (c *Cluster) KillProgram(ctx context.Context, name string, signal syscall.Signal) error {
	return c.finish(ctx, name, func(m *member, r *run) error { return c.kill(ctx, m, r, signal) })
}

// ControlStart starts a program for somebody at the control socket.
func (c *Cluster) ControlStart(ctx context.Context, r control.StartRequest) error {
	if r.Path == "" {
		return c.StartProgram(ctx, r.Name)
	}
	p := Program{Name: r.Name, Path: r.Path, Args: r.Args, Env: r.Env}
	if r.ReadyURL != "" {
		p.Ready = c.answers(r.ReadyURL)
	}
	return c.Run(ctx, p)
}

// ReservePort returns a port that is free, and that no other cluster takes as long as this one lives.
func (c *Cluster) ReservePort() (int, error) { return c.reservation.Take() }

// Status describes the cluster and its programs.
func (c *Cluster) Status() Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status()
}

var errRunning = errors.New("runs already: stop it first")

// adopt returns the member for a program, a new one unless there is one of this name.
func (c *Cluster) adopt(p Program) (*member, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.members {
		switch {
		case m.name != p.Name:
		case m.essential:
			return nil, fmt.Errorf("%s is a program of the cluster itself: choose another name", p.Name)
		default:
			return m, nil
		}
	}
	if slices.Contains(servers, p.Name) {
		return nil, fmt.Errorf("%s is a program of the cluster itself: choose another name", p.Name)
	}
	m := newMember(p, false)
	c.members = append(c.members, m)
	return m, nil
}

// startMember starts a member that does not run, from now on as the given program if there is one.
func (c *Cluster) startMember(ctx context.Context, m *member, p *Program) error {
	if err := m.lock(ctx); err != nil {
		return err
	}
	defer m.unlock()
	if _, runs := c.running(m); runs {
		return fmt.Errorf("%s %w", m.name, errRunning)
	}
	if p != nil {
		c.mu.Lock()
		m.program = *p
		c.mu.Unlock()
	}
	return c.launch(ctx, m)
}

// finish ends one program in the way it is told. That it has ended already is no error.
func (c *Cluster) finish(ctx context.Context, name string, end func(*member, *run) error) error {
	m, err := c.find(name)
	if err != nil {
		return err
	}
	if err := m.lock(ctx); err != nil {
		return err
	}
	defer m.unlock()
	r, runs := c.running(m)
	if !runs {
		return nil
	}
	if err := end(m, r); err != nil {
		return err
	}
	c.say("%s is stopped", name)
	return nil
}

func (c *Cluster) grace(m *member) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.program.Grace > 0 {
		return m.program.Grace
	}
	return defaultGrace
}

// stopMembers ends all programs at once. What the cluster stores is thrown away, so that only programs
// which were added are given time to end well.
func (c *Cluster) stopMembers() {
	c.mu.Lock()
	members := slices.Clone(c.members)
	c.mu.Unlock()
	var wait sync.WaitGroup
	for _, m := range members {
		wait.Go(func() {
			grace := time.Duration(0)
			if !m.essential {
				grace = c.grace(m)
			}
			if r, runs := c.running(m); runs {
				c.halt(r, grace)
			}
		})
	}
	wait.Wait()
}

func (c *Cluster) find(name string) (*member, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.members {
		if m.name == name {
			return m, nil
		}
	}
	return nil, fmt.Errorf("the cluster has no program %q", name)
}

// status describes the cluster. The caller holds the mutex.
func (c *Cluster) status() Status {
	s := Status{
		Name: c.options.Name, Folder: c.options.Folder, Phase: c.phase, Message: c.message,
		PID: os.Getpid(), StartTime: c.started, Kubeconfig: c.Kubeconfig(), Programs: []ProgramStatus{},
	}
	for _, m := range c.members {
		p := ProgramStatus{Name: m.name, State: m.state, Port: m.program.Port, Log: c.logPath(m.name), Message: m.message}
		if m.state == control.StateStarting || m.state == control.StateReady {
			started := m.run.StartTime()
			p.PID, p.StartTime = m.run.PID(), &started
		}
		s.Programs = append(s.Programs, p)
	}
	return s
}

// record writes the status down for the time when nobody can be asked any more.
func (c *Cluster) record() {
	c.mu.Lock()
	err := control.WriteStatus(c.status())
	c.mu.Unlock()
	c.complain(err)
}
