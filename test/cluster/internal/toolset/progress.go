// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package toolset

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// progress tells how far the builds are: a line that renews itself on a terminal, else a new line every
// plainInterval.
type progress struct {
	out      io.Writer
	terminal bool
	total    int
	began    time.Time

	mu   sync.Mutex
	done int
	jobs []*job
}

const (
	terminalInterval = time.Second
	plainInterval    = 15 * time.Second
)

// job is one build in progress.
type job struct {
	progress *progress
	names    string
	programs int
	packages int
}

func newProgress(out io.Writer, total int) *progress {
	return &progress{out: out, terminal: isTerminal(out), total: total}
}

func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// start begins to show progress until the returned function is called.
func (p *progress) start(now time.Time) (stop func()) {
	p.began = now
	interval := plainInterval
	if p.terminal {
		interval = terminalInterval
	}
	stopped, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case now := <-ticker.C:
				p.show(now)
			case <-stopped:
				p.show(time.Now())
				if p.terminal {
					fmt.Fprintln(p.out)
				}
				return
			}
		}
	}()
	return func() {
		close(stopped)
		<-ended
	}
}

func (p *progress) show(now time.Time) {
	line := p.line(now)
	if p.terminal {
		fmt.Fprintf(p.out, "\r\x1b[K%s", line)
		return
	}
	fmt.Fprintln(p.out, line)
}

// line renders, for example, "build: 2m15s, 3 of 9 done, now kube-apiserver (612 packages), velero (88 packages)".
func (p *progress) line(now time.Time) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var line strings.Builder
	fmt.Fprintf(&line, "build: %s, %d of %d done", now.Sub(p.began).Round(time.Second), p.done, p.total)
	for i, j := range p.jobs {
		if i == 0 {
			line.WriteString(", now ")
		} else {
			line.WriteString(", ")
		}
		fmt.Fprintf(&line, "%s (%d packages)", j.names, j.packages)
	}
	return line.String()
}

// waiting says that somebody else builds the same.
func (p *progress) waiting(batch []tool) {
	fmt.Fprintf(p.out, "build: %s is being built by another process, waiting for it\n", namesOf(batch))
}

func (p *progress) begin(batch []tool) *job {
	p.mu.Lock()
	defer p.mu.Unlock()
	j := &job{progress: p, names: namesOf(batch), programs: len(batch)}
	p.jobs = append(p.jobs, j)
	return j
}

// follow reads the output of the job's go command and returns its last messages.
func (j *job) follow(output io.Reader) []string {
	return readMessages(output, func() {
		j.progress.mu.Lock()
		defer j.progress.mu.Unlock()
		j.packages++
	})
}

func (j *job) end(done bool) {
	p := j.progress
	p.mu.Lock()
	defer p.mu.Unlock()
	if done {
		p.done += j.programs
	}
	for i := range p.jobs {
		if p.jobs[i] == j {
			p.jobs = append(p.jobs[:i], p.jobs[i+1:]...)
			return
		}
	}
}

func namesOf(batch []tool) string {
	names := make([]string, len(batch))
	for i, t := range batch {
		names[i] = t.name
	}
	return strings.Join(names, " and ")
}
