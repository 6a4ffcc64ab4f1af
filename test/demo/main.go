// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Command demo shows Backstay at work: a rollout waits for its backup, and a plan shows its drift. Everything that it
// prints after a "$" is a command that it runs, and that a reader can run too.
package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/backstay-dr/backstay/test/cluster/devcluster"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Stdout, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, args []string) error {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), "Usage: go run ./test/demo [flags]        run the demo\n"+
			"       go run ./test/demo [flags] down   remove what it started\n\nFlags:\n")
		flags.PrintDefaults()
	}
	name := flags.String("name", "", "`name` of the development cluster to start (default: one for this checkout)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s, err := newStage(out, *name)
	if err != nil {
		return err
	}
	switch {
	case flags.NArg() == 0:
		return s.demo(ctx)
	case flags.NArg() == 1 && flags.Arg(0) == "down":
		return s.down(ctx)
	default:
		return fmt.Errorf("unknown arguments %q: see go run ./test/demo -h", flags.Args())
	}
}

// defaultName is the cluster of make demo: one for each checkout, so that the demos of two run beside each other and
// neither replaces the other.
func defaultName(root string) (string, error) {
	path, err := filepath.EvalSymlinks(root)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(path))
	return "demo-" + hex.EncodeToString(sum[:3]), nil
}

func newStage(out io.Writer, name string) (*stage, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	own, err := defaultName(root)
	if err != nil {
		return nil, err
	}
	name = cmp.Or(name, own)
	folder, err := devcluster.Folder(name, "")
	if err != nil {
		return nil, err
	}
	return &stage{root: root, out: out, name: name, own: name == own, folder: folder}, nil
}

// demo tells the whole story. A demo of this checkout that is still there starts over.
func (s *stage) demo(ctx context.Context) error {
	for _, act := range []func(context.Context) error{
		s.cluster, s.install, s.application, s.hold, s.release, s.next,
	} {
		if err := act(ctx); err != nil {
			return fmt.Errorf("%w\nWhat was started is still there, to look at. Remove it: %s", err, s.downCommand())
		}
	}
	return nil
}

// downCommand is what removes this demo, as a person would type it.
func (s *stage) downCommand() string {
	if s.own {
		return "make demo-down"
	}
	return fmt.Sprintf("go run ./test/demo --name %s down", s.name)
}

// down removes the cluster and all that runs in it.
func (s *stage) down(ctx context.Context) error {
	if err := s.build(ctx); err != nil {
		return err
	}
	if err := s.runCluster(ctx, "down"); err != nil {
		return err
	}
	_, err := fmt.Fprintln(s.out, "The demo is gone. Its logs stay in", filepath.Join(s.folder, "logs"), "until the next one.")
	return err
}
