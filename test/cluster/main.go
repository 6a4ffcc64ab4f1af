// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Command cluster builds, starts, watches and stops the development cluster: a Kubernetes control plane,
// simulated nodes, S3 storage and Velero, all of them plain processes of this machine.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/backstay-dr/backstay/test/cluster/devcluster"
)

// command is one thing that the program can do.
type command struct {
	name    string
	usage   string // what follows the name
	summary string
	help    string
	hidden  bool
	setup   func(*flag.FlagSet) func(context.Context, []string) error
}

func commands() []command {
	return []command{
		upCommand(), superviseCommand(), downCommand(), statusCommand(), logsCommand(), kubeconfigCommand(),
		startCommand(), stopCommand(), portCommand(), buildCommand(), assetsCommand(), binCommand(),
	}
}

func main() {
	log.SetLogger(logr.Discard()) // Clients complain if nobody says where they may log.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx, os.Args[1:])
	stop()
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return
	}
	if !errors.Is(err, errQuiet) {
		fmt.Fprintln(os.Stderr, "cluster:", err)
	}
	os.Exit(1)
}

// errQuiet ends the program with an error that has been shown already.
var errQuiet = errors.New("failed")

func run(ctx context.Context, args []string) error {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" || args[0] == "-help" {
		usage(os.Stdout)
		return nil
	}
	for _, c := range commands() {
		if c.name != args[0] {
			continue
		}
		flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
		act := c.setup(flags)
		flags.SetOutput(io.Discard)
		flags.Usage = func() {}
		rest, err := parse(flags, args[1:])
		if errors.Is(err, flag.ErrHelp) {
			commandUsage(os.Stdout, c, flags)
			return err
		}
		if err != nil {
			return fmt.Errorf("%s: %w (see: cluster %s -h)", c.name, err, c.name)
		}
		return act(ctx, rest)
	}
	return fmt.Errorf("unknown command %q (see: cluster help)", args[0])
}

// parse takes flags before, between and behind the other arguments, up to a "--".
func parse(flags *flag.FlagSet, args []string) ([]string, error) {
	var rest []string
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		left := flags.Args()
		taken := len(args) - len(left)
		if len(left) == 0 || (taken > 0 && args[taken-1] == "--") {
			return append(rest, left...), nil
		}
		rest, args = append(rest, left[0]), left[1:]
	}
}

func usage(out io.Writer) {
	fmt.Fprint(out, "A development cluster of plain processes: Kubernetes, simulated nodes, S3 storage, Velero.\n\n"+
		"Usage: go run ./test/cluster COMMAND [flags]\n\n")
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, c := range commands() {
		if !c.hidden {
			fmt.Fprintf(table, "  %s\t%s\n", c.name, c.summary)
		}
	}
	_ = table.Flush() // Nothing can be done about a closed terminal.
	fmt.Fprint(out, "\nFlags of a command: cluster COMMAND -h. The cluster keeps its files in ${BACKSTAY_CACHE:-~/.cache/backstay}.\n")
}

func commandUsage(out io.Writer, c command, flags *flag.FlagSet) {
	fmt.Fprintf(out, "%s\n\nUsage: cluster %s\n", c.summary, strings.TrimSpace(c.name+" [flags] "+c.usage))
	if c.help != "" {
		fmt.Fprintf(out, "\n%s\n", c.help)
	}
	fmt.Fprint(out, "\nFlags:\n")
	flags.SetOutput(out)
	flags.PrintDefaults()
}

// place is how commands say which cluster they mean.
type place struct{ name, dir string }

func (p *place) register(flags *flag.FlagSet) {
	flags.StringVar(&p.name, "name", devcluster.DefaultName, "the cluster's `name`")
	flags.StringVar(&p.dir, "dir", "", "the cluster's `folder` (default: clusters/NAME in the cache folder)")
}

func (p *place) folder() (string, error) { return devcluster.Folder(p.name, p.dir) }

// list is a flag of comma-separated words that may be repeated.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(text string) error {
	for word := range strings.SplitSeq(text, ",") {
		if word = strings.TrimSpace(word); word != "" {
			*l = append(*l, word)
		}
	}
	return nil
}

// words is a flag that may be repeated and takes each value as it is.
type words []string

func (w *words) String() string { return strings.Join(*w, " ") }

func (w *words) Set(text string) error {
	*w = append(*w, text)
	return nil
}

// noArguments refuses what a command has no use for.
func noArguments(args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("unexpected argument %q", args[0])
	}
	return nil
}
