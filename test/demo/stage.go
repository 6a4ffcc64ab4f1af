// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// stage is where the demo plays: it shows commands, and runs what it shows.
type stage struct {
	root    string    // the checkout
	out     io.Writer // what a reader sees: explanations, commands and their output
	name    string    // of the cluster
	own     bool      // it has the name of this checkout's demo
	folder  string    // where the cluster keeps everything
	kubectl string    // the one that was built for the cluster
}

// moduleRoot finds the checkout, since the demo refers to its files.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "config", "devcluster")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("run the demo in a checkout of Backstay")
		}
		dir = parent
	}
}

// say explains what comes next.
func (s *stage) say(format string, args ...any) {
	fmt.Fprintf(s.out, "\n# %s\n", strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "\n# "))
}

// run shows a command and runs it, with its output as it comes.
func (s *stage) run(ctx context.Context, path string, args ...string) error {
	shown := s.shown(path, args)
	fmt.Fprintf(s.out, "$ %s\n", shown)
	cmd := s.command(ctx, path, args...)
	cmd.Stdout, cmd.Stderr = s.out, s.out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", shown, cause(ctx, err))
	}
	return nil
}

// output runs a command without showing it and returns what it prints.
func (s *stage) output(ctx context.Context, path string, args ...string) (string, error) {
	cmd := s.command(ctx, path, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", s.shown(path, args), cause(ctx, err), stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// patience is how long a command that is interrupted may take to clean up.
const patience = 20 * time.Second

// command prepares a command in the checkout, for the demo's cluster.
func (s *stage) command(ctx context.Context, path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = s.root
	cmd.Env = append(os.Environ(), "KUBECONFIG="+filepath.Join(s.folder, "kubeconfig"))
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = patience
	return cmd
}

// shown is the command as the reader would type it: kubectl by its name, since farewell puts it into the PATH.
func (s *stage) shown(path string, args []string) string {
	if path == s.kubectl {
		path = filepath.Base(path)
	}
	return shellLine(append([]string{path}, args...))
}

// runKubectl runs kubectl as the administrator of the cluster.
func (s *stage) runKubectl(ctx context.Context, args ...string) error {
	return s.run(ctx, s.kubectl, args...)
}

// runCluster runs a command of the development cluster.
func (s *stage) runCluster(ctx context.Context, command string, args ...string) error {
	return s.run(ctx, clusterProgram, s.clusterArgs(command, args)...)
}

// askCluster runs such a command without showing it and returns what it prints.
func (s *stage) askCluster(ctx context.Context, command string, args ...string) (string, error) {
	return s.output(ctx, clusterProgram, s.clusterArgs(command, args)...)
}

func (s *stage) clusterArgs(command string, args []string) []string {
	return append([]string{command, "--name", s.name}, args...)
}

// cause prefers the reason for which a command was stopped to the signal that stopped it.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// shellLine writes a command as one would type it.
func shellLine(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = word
		if word == "" || strings.ContainsAny(word, " \t\"'*?$&|;<>()[]{}\\") {
			quoted[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}
