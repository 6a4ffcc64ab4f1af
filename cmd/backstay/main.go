// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Command backstay is the operator.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/backstay-dr/backstay/controllers"
	"github.com/backstay-dr/backstay/internal/printable"
)

// version is set by the linker.
var version = "dev"

func main() {
	if err := run(ctrl.SetupSignalHandler(), os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "backstay:", err)
		os.Exit(1)
	}
}

// run carries out a subcommand; without one it is the operator.
func run(ctx context.Context, args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "gate":
			return printGate(args[1:], os.Stdout)
		case "version":
			err := parse(flag.NewFlagSet("backstay version", flag.ContinueOnError), args[1:])
			if err == nil {
				fmt.Println(version)
			}
			return err
		case "help":
			args = []string{"--help"}
		}
	}
	return operate(ctx, args)
}

// operate runs the operator until the context ends.
func operate(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("backstay", flag.ContinueOnError)
	flags.Usage = func() { usage(flags) }
	opts := controllers.Options{}
	flags.StringVar(&opts.VeleroNamespace, "velero-namespace", "velero", "namespace that Velero runs in")
	flags.IntVar(&opts.Workers, "workers", 4, "how many plans are worked on at the same time")
	metricsAddress := flags.String("metrics-bind-address", ":8443", `address of the metrics endpoint, over HTTPS; "0" for none`)
	probeAddress := flags.String("health-probe-bind-address", ":8081", `address of /healthz and /readyz; "0" for none`)
	leaderElect := flags.Bool("leader-elect", false, "let several replicas agree on the one that works")
	zapOptions := zap.Options{}
	zapOptions.BindFlags(flags)
	registerKubeconfig(flags)
	if err := parse(flags, args); err != nil {
		return err
	}
	if opts.Workers < 1 {
		return errors.New("--workers must be at least 1")
	}
	cfg, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("no cluster: run it in one, or set --kubeconfig or KUBECONFIG: %w", err)
	}
	// Errors quote what others wrote.
	ctrl.SetLogger(zap.New(zap.UseFlagOptions(&zapOptions), zap.WriteTo(printable.Lines(os.Stderr))))
	opts.Manager = ctrl.Options{
		// The metrics name the plans of every namespace: only who may get the URL /metrics reads them.
		Metrics: metricsserver.Options{
			BindAddress: *metricsAddress, SecureServing: true, FilterProvider: filters.WithAuthenticationAndAuthorization,
		},
		HealthProbeBindAddress:        *probeAddress,
		LeaderElection:                *leaderElect,
		LeaderElectionID:              "backstay.dr.backstay.dev",
		LeaderElectionReleaseOnCancel: true,
	}
	return start(ctx, cfg, opts)
}

func start(ctx context.Context, cfg *rest.Config, opts controllers.Options) error {
	cfg.UserAgent = "backstay/" + version
	mgr, err := controllers.NewManager(ctx, cfg, opts)
	if err != nil {
		return err
	}
	if err := mgr.AddHealthzCheck("healthz", healthz.Ping); err != nil {
		return err
	}
	if err := mgr.AddReadyzCheck("caches", cachesSynced(mgr)); err != nil {
		return err
	}
	ctrl.Log.Info("Starting Backstay", "version", version, "veleroNamespace", opts.VeleroNamespace)
	return mgr.Start(ctx)
}
