// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/backstay-dr/backstay/test/cluster/devcluster"
	"github.com/backstay-dr/backstay/test/cluster/internal/control"
)

// lifeline is the file descriptor on which a background supervisor notices that whoever started it is gone.
const lifeline = 3

// supervisorLog is where a background supervisor writes what it would show on a terminal.
func supervisorLog(folder string) string { return filepath.Join(folder, "supervisor.log") }

// detach starts a supervisor in the background and returns when its cluster is ready.
func detach(ctx context.Context, u *upFlags, folder string) error {
	// Built here, where somebody watches the progress.
	if err := devcluster.Build(ctx, u.options()); err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	log, err := os.OpenFile(supervisorLog(folder), os.O_CREATE|os.O_RDWR|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	supervisor, alive, err := startSupervisor(u, log)
	if err != nil {
		return err
	}
	defer alive.Close()
	ended := make(chan error, 1)
	go func() { ended <- supervisor.Wait() }()
	if err := awaitSupervisor(ctx, folder, supervisor.Process.Pid, ended); err != nil {
		return err
	}
	fmt.Printf("export KUBECONFIG=%s\n", filepath.Join(folder, "kubeconfig"))
	return nil
}

// startSupervisor starts this program again, in a session of its own, with one end of the lifeline.
func startSupervisor(u *upFlags, log *os.File) (*exec.Cmd, io.Closer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	end, alive, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer end.Close()
	cmd := exec.Command(self, "supervise", "--name="+u.name, "--dir="+u.dir, "--without="+u.without.String(),
		fmt.Sprintf("--nodes=%d", u.nodes), "--bin-dir="+u.binDir)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{end}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, nil, errors.Join(err, alive.Close())
	}
	return cmd, alive, nil
}

// awaitSupervisor shows what the supervisor says until its cluster is ready.
func awaitSupervisor(ctx context.Context, folder string, pid int, ended <-chan error) error {
	said, err := os.Open(supervisorLog(folder))
	if err != nil {
		return err
	}
	defer said.Close()
	show := func() { _, _ = io.Copy(os.Stderr, said) } // Showing is a courtesy.
	defer show()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	client := control.NewClient(folder)
	for {
		show()
		select {
		case <-ended:
			return errQuiet // The supervisor has said why.
		case <-ctx.Done():
			return fmt.Errorf("cluster is not started: %w", context.Cause(ctx))
		case <-ticker.C:
			if s, err := client.Status(ctx); err == nil && s.PID == pid && s.Phase == control.PhaseReady {
				return nil
			}
		}
	}
}

func superviseCommand() command {
	return command{
		name: "supervise", hidden: true, summary: "What up --detach leaves in the background",
		setup: func(flags *flag.FlagSet) func(context.Context, []string) error {
			var u upFlags
			u.register(flags)
			return func(ctx context.Context, args []string) error {
				if err := noArguments(args); err != nil {
					return err
				}
				starting, cancel := context.WithCancelCause(ctx)
				defer cancel(nil)
				go func() {
					// The pipe has no writer but the other end, and that never writes: a read ends when it is gone.
					_, _ = os.NewFile(lifeline, "lifeline").Read(make([]byte, 1))
					cancel(errors.New("whoever started the cluster is gone"))
				}()
				cluster, err := devcluster.Start(starting, u.options())
				if err != nil {
					return err
				}
				return supervise(ctx, cluster)
			}
		},
	}
}
