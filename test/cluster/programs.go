// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/backstay-dr/backstay/test/cluster/devcluster"
	"github.com/backstay-dr/backstay/test/cluster/internal/control"
)

// downLimit is how long a cluster may take to stop. It usually takes a second.
const downLimit = time.Minute

func downCommand() command {
	return command{
		name: "down", summary: "Stop a cluster and delete its data",
		help: "Its logs stay until the next cluster of this name starts. Stopping what does not run is no error.",
		setup: func(flags *flag.FlagSet) func(context.Context, []string) error {
			var p place
			p.register(flags)
			return func(ctx context.Context, args []string) error {
				if err := noArguments(args); err != nil {
					return err
				}
				ctx, cancel := context.WithTimeout(ctx, downLimit)
				defer cancel()
				return devcluster.Down(ctx, p.name, p.dir)
			}
		},
	}
}

func startCommand() command {
	return command{
		name: "start", usage: "PROGRAM | --program NAME -- FILE [ARGUMENT...]",
		summary: "Start a stopped program of a running cluster, or add one",
		help: "A program that is added runs with the PATH, HOME and TMPDIR of the cluster and the --env given here. The\n" +
			"command returns when the program is ready.",
		setup: func(flags *flag.FlagSet) func(context.Context, []string) error {
			var p place
			p.register(flags)
			var env words
			name := flags.String("program", "", "`name` of the program to add")
			flags.Var(&env, "env", "environment, as `NAME=VALUE`, of the program to add (may be repeated)")
			url := flags.String("ready-url", "", "`URL` that answers with status 200 when the program to add is ready")
			return func(ctx context.Context, args []string) error {
				folder, err := p.folder()
				if err != nil {
					return err
				}
				request, err := startRequest(*name, env, *url, args)
				if err != nil {
					return err
				}
				return control.NewClient(folder).Start(ctx, request)
			}
		},
	}
}

func startRequest(name string, env []string, url string, args []string) (control.StartRequest, error) {
	switch {
	case name == "" && len(args) == 1:
		return control.StartRequest{Name: args[0]}, nil
	case name == "" || len(args) == 0:
		return control.StartRequest{}, errors.New("name a program, or add one: --program NAME -- FILE [ARGUMENT...]")
	}
	// The supervisor has another working directory, and perhaps another PATH.
	file, err := exec.LookPath(args[0])
	if err != nil {
		return control.StartRequest{}, err
	}
	if file, err = filepath.Abs(file); err != nil {
		return control.StartRequest{}, err
	}
	return control.StartRequest{Name: name, Path: file, Args: args[1:], Env: env, ReadyURL: url}, nil
}

func stopCommand() command {
	return command{
		name: "stop", usage: "PROGRAM", summary: "Stop a program; the cluster goes on without it",
		setup: func(flags *flag.FlagSet) func(context.Context, []string) error {
			var p place
			p.register(flags)
			return func(ctx context.Context, args []string) error {
				if len(args) != 1 {
					return errors.New("name one program")
				}
				folder, err := p.folder()
				if err != nil {
					return err
				}
				return control.NewClient(folder).Stop(ctx, args[0])
			}
		},
	}
}

func portCommand() command {
	return command{
		name: "port", summary: "Print a port that stays free for a program that is to be added",
		setup: func(flags *flag.FlagSet) func(context.Context, []string) error {
			var p place
			p.register(flags)
			return func(ctx context.Context, args []string) error {
				if err := noArguments(args); err != nil {
					return err
				}
				folder, err := p.folder()
				if err != nil {
					return err
				}
				port, err := control.NewClient(folder).ReservePort(ctx)
				if err != nil {
					return err
				}
				fmt.Println(port)
				return nil
			}
		},
	}
}
