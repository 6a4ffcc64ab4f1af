// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/backstay-dr/backstay/test/cluster/internal/control"
)

func statusCommand() command {
	return command{
		name: "status", summary: "Show a cluster and its programs",
		help: "Ends with status 1 unless the cluster is ready.",
		setup: func(flags *flag.FlagSet) func(context.Context, []string) error {
			var p place
			p.register(flags)
			format := flags.String("o", "", "output `format`: json (default: a table)")
			return func(ctx context.Context, args []string) error {
				if err := noArguments(args); err != nil {
					return err
				}
				folder, err := p.folder()
				if err != nil {
					return err
				}
				s, err := control.NewClient(folder).Status(ctx)
				if err != nil {
					return err
				}
				return showStatus(os.Stdout, s, *format)
			}
		},
	}
}

func showStatus(out io.Writer, s control.Status, format string) error {
	switch format {
	case "json":
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(s); err != nil {
			return err
		}
	case "":
		if err := control.WriteTable(out, s, time.Now()); err != nil {
			return err
		}
	default:
		return fmt.Errorf("unknown output format %q: must be json", format)
	}
	if s.Phase != control.PhaseReady {
		return errQuiet
	}
	return nil
}

func kubeconfigCommand() command {
	return command{
		name: "kubeconfig", summary: "Print a kubeconfig of a running cluster: the administrator's, or that of a service account",
		setup: func(flags *flag.FlagSet) func(context.Context, []string) error {
			var p place
			p.register(flags)
			account := flags.String("service-account", "", "the service account, as `namespace/name`, to print a kubeconfig for")
			return func(ctx context.Context, args []string) error {
				if err := noArguments(args); err != nil {
					return err
				}
				folder, err := p.folder()
				if err != nil {
					return err
				}
				file, err := kubeconfigFile(ctx, control.NewClient(folder), *account)
				if err != nil {
					return err
				}
				text, err := os.ReadFile(file)
				if err != nil {
					return err
				}
				_, err = os.Stdout.Write(text)
				return err
			}
		},
	}
}

func kubeconfigFile(ctx context.Context, client *control.Client, account string) (string, error) {
	s, err := client.Status(ctx)
	if err != nil {
		return "", err
	}
	if s.Phase != control.PhaseReady {
		return "", fmt.Errorf("cluster %s is not ready: %s", s.Name, s.Phase)
	}
	if account == "" {
		return s.Kubeconfig, nil
	}
	namespace, name, ok := strings.Cut(account, "/")
	if !ok || namespace == "" || name == "" {
		return "", fmt.Errorf("service account %q must be given as namespace/name", account)
	}
	return client.ServiceAccountKubeconfig(ctx, namespace, name)
}

func logsCommand() command {
	return command{
		name: "logs", usage: "PROGRAM", summary: "Print the log of a program",
		help: "The program \"supervisor\" is what up --detach left in the background.",
		setup: func(flags *flag.FlagSet) func(context.Context, []string) error {
			var p place
			p.register(flags)
			follow := flags.Bool("f", false, "go on until Ctrl-C, or until the cluster stops")
			return func(ctx context.Context, args []string) error {
				folder, err := p.folder()
				if err != nil {
					return err
				}
				file, err := logFile(ctx, folder, args)
				if err != nil {
					return err
				}
				log, err := os.Open(file)
				if errors.Is(err, os.ErrNotExist) {
					return fmt.Errorf("there is no log of %s yet", args[0])
				}
				if err != nil {
					return err
				}
				defer log.Close()
				return copyLog(ctx, log, func() bool { return *follow && control.Running(folder) })
			}
		},
	}
}

func logFile(ctx context.Context, folder string, args []string) (string, error) {
	s, err := control.NewClient(folder).Status(ctx)
	if err != nil {
		return "", err
	}
	names := []string{}
	for _, p := range s.Programs {
		names = append(names, p.Name)
	}
	names = append(names, "supervisor")
	if len(args) != 1 || !slices.Contains(names, args[0]) {
		return "", fmt.Errorf("name one program: %s", strings.Join(names, ", "))
	}
	if p, known := s.Program(args[0]); known {
		return p.Log, nil
	}
	return supervisorLog(folder), nil
}

// copyLog prints a log, and what is added to it as long as more may come.
func copyLog(ctx context.Context, log io.Reader, more func() bool) error {
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		goOn := more() // before the copy: what was written until now must be shown
		if _, err := io.Copy(os.Stdout, log); err != nil || !goOn {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
