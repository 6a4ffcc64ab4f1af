// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/backstay-dr/backstay/test/cluster/internal/toolset"
)

const binDirHelp = "use the programs in this `folder` instead of building them (default: $BACKSTAY_BIN_DIR); those it lacks are built"

func buildCommand() command {
	return command{
		name: "build", summary: "Build the programs",
		help: "Builds every program from its module below hack/tools, unless the cache has it. The first time takes minutes.",
		setup: func(flags *flag.FlagSet) func(context.Context, []string) error {
			var only list
			flags.Var(&only, "only", "comma-separated `programs` to build: "+strings.Join(toolset.Names(), ", "))
			binDir := flags.String("bin-dir", "", binDirHelp)
			return func(ctx context.Context, args []string) error {
				if err := noArguments(args); err != nil {
					return err
				}
				builder, err := toolset.NewBuilder(*binDir, os.Stderr)
				if err != nil {
					return err
				}
				names := toolset.Names()
				if len(only) > 0 {
					names = only
				}
				_, err = builder.Ensure(ctx, names...)
				return err
			}
		},
	}
}

func assetsCommand() command {
	return command{
		name: "assets", summary: "Build only etcd, kube-apiserver and kubectl, and print their folder (KUBEBUILDER_ASSETS)",
		setup: func(flags *flag.FlagSet) func(context.Context, []string) error {
			binDir := flags.String("bin-dir", "", binDirHelp)
			return func(ctx context.Context, args []string) error {
				if err := noArguments(args); err != nil {
					return err
				}
				builder, err := toolset.NewBuilder(*binDir, os.Stderr)
				if err != nil {
					return err
				}
				folder, err := builder.Assets(ctx)
				if err != nil {
					return err
				}
				fmt.Println(folder)
				return nil
			}
		},
	}
}

func binCommand() command {
	return command{
		name: "bin", usage: "PROGRAM", summary: "Print the file of a program, after building it if it is missing",
		setup: func(flags *flag.FlagSet) func(context.Context, []string) error {
			binDir := flags.String("bin-dir", "", binDirHelp)
			return func(ctx context.Context, args []string) error {
				if len(args) != 1 || !slices.Contains(toolset.Programs(), args[0]) {
					return fmt.Errorf("name one program: %s", strings.Join(toolset.Programs(), ", "))
				}
				builder, err := toolset.NewBuilder(*binDir, os.Stderr)
				if err != nil {
					return err
				}
				paths, err := builder.Ensure(ctx, args[0])
				if err != nil {
					return err
				}
				fmt.Println(paths[args[0]])
				return nil
			}
		},
	}
}
