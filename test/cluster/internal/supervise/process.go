// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package supervise

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Process is one run of a program.
type Process struct {
	name      string
	cmd       *exec.Cmd
	log       string
	logOffset int64
	started   time.Time
	done      chan struct{}
	err       error // set before done is closed
}

// wait reaps the program, and then kills what the program itself had started and left.
func (p *Process) wait(g *guard) {
	p.err = p.cmd.Wait()
	killGroup(p.PID())
	awaitGroup(p.PID())
	_ = g.forget(p.PID()) // A guard that is gone has nothing to forget.
	close(p.done)
}

// PID is the program's process id, and that of its process group.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// StartTime is when this run began.
func (p *Process) StartTime() time.Time { return p.started }

// Done is closed when the program and everything it started are gone.
func (p *Process) Done() <-chan struct{} { return p.done }

// Signal sends a signal to the program itself.
func (p *Process) Signal(signal syscall.Signal) error {
	if err := p.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	return nil
}

// Stop asks the program to end, kills it after the grace period, and returns when it is gone.
func (p *Process) Stop(grace time.Duration) {
	if grace > 0 && p.Signal(syscall.SIGTERM) == nil {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-p.done:
			return
		case <-timer.C:
		}
	}
	select {
	case <-p.done: // The number of its group may have been given to others since.
	default:
		killGroup(p.PID())
		<-p.done
	}
}

// Outcome tells how the program ended, for example "exit status 1". Call it after Done.
func (p *Process) Outcome() string {
	if p.err != nil {
		return p.err.Error()
	}
	return "exit status 0"
}

// Tail returns the last lines that this run wrote to its log.
func (p *Process) Tail(lines int) string {
	text, err := TailFile(p.log, p.logOffset, lines)
	if err != nil {
		return fmt.Sprintf("(its log cannot be read: %v)", err)
	}
	return text
}
