// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/backstay-dr/backstay/test/cluster/devcluster"
	"github.com/backstay-dr/backstay/test/cluster/internal/control"
)

// upFlags describe the cluster to start.
type upFlags struct {
	place
	without list
	nodes   int
	binDir  string
}

func (u *upFlags) register(flags *flag.FlagSet) {
	u.place.register(flags)
	flags.Var(&u.without, "without", "comma-separated `programs` to leave out, for example velero,versitygw,kwok")
	flags.IntVar(&u.nodes, "nodes", 2, "`number` of simulated nodes")
	flags.StringVar(&u.binDir, "bin-dir", "", binDirHelp)
}

func (u *upFlags) options() devcluster.Options {
	return devcluster.Options{
		Name: u.name, Folder: u.dir, Without: u.without, Nodes: u.nodes, BinDir: u.binDir, Output: os.Stderr,
	}
}

func upCommand() command {
	return command{
		name: "up", summary: "Start a cluster",
		help: "Stays until Ctrl-C, or until a program dies, and stops everything then. With --detach it returns when the\n" +
			"cluster is ready, which goes on in the background until: cluster down.",
		setup: func(flags *flag.FlagSet) func(context.Context, []string) error {
			var u upFlags
			u.register(flags)
			detached := flags.Bool("detach", false, "return when the cluster is ready and leave it running")
			return func(ctx context.Context, args []string) error {
				if err := noArguments(args); err != nil {
					return err
				}
				if u.nodes < 1 {
					return fmt.Errorf("--nodes=%d: the programs need at least one node", u.nodes)
				}
				folder, err := u.folder()
				if err != nil {
					return err
				}
				if control.Running(folder) {
					return fmt.Errorf("cluster %s is running already (stop it: cluster down --name %s)", u.name, u.name)
				}
				if *detached {
					return detach(ctx, &u, folder)
				}
				return foreground(withParent(ctx), u.options())
			}
		},
	}
}

// foreground runs a cluster until the context ends or the cluster fails.
func foreground(ctx context.Context, o devcluster.Options) error {
	cluster, err := devcluster.Start(ctx, o)
	if err != nil {
		return err
	}
	fmt.Printf("export KUBECONFIG=%s\n", cluster.Kubeconfig())
	fmt.Fprintln(os.Stderr, "Ctrl-C stops the cluster.")
	return supervise(ctx, cluster)
}

func supervise(ctx context.Context, cluster *devcluster.Cluster) error {
	select {
	case <-ctx.Done():
		cluster.Down()
	case <-cluster.Done():
	}
	return cluster.Err()
}

// withParent returns a context that also ends when the parent process does: a killed "go run" or make does
// not tell its children.
func withParent(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancelCause(ctx)
	parent := os.Getppid()
	go func() {
		ticker := time.NewTicker(200 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				if os.Getppid() != parent {
					cancel(errors.New("the parent process is gone"))
					return
				}
			}
		}
	}()
	return ctx
}
