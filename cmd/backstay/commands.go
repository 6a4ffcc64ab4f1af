// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"

	"github.com/backstay-dr/backstay/internal/gate"
)

func usage(flags *flag.FlagSet) {
	fmt.Fprint(flags.Output(), `Backstay keeps disaster-recovery plans in lockstep with releases.

Usage:
  backstay [flags]        run the operator
  backstay gate [flags]   print the admission policies, for another namespace or ServiceAccount for example
  backstay version        print the version

Flags:
`)
	flags.PrintDefaults()
}

// parse parses flags, and knows no other arguments. What is wrong is said in one line.
func parse(flags *flag.FlagSet, args []string) error {
	out := flags.Output()
	flags.SetOutput(io.Discard)
	err := flags.Parse(args)
	flags.SetOutput(out)
	switch {
	case errors.Is(err, flag.ErrHelp):
		flags.Usage()
		return err
	case err != nil:
		return fmt.Errorf("%w (see: %s --help)", err, flags.Name())
	case flags.NArg() > 0:
		return fmt.Errorf("unknown command %q (see: %s --help)", flags.Arg(0), flags.Name())
	default:
		return nil
	}
}

// printGate writes the admission policies as YAML.
func printGate(args []string, w io.Writer) error {
	flags := flag.NewFlagSet("backstay gate", flag.ContinueOnError)
	id := gate.DefaultIdentity()
	flags.StringVar(&id.Namespace, "namespace", id.Namespace, "namespace that the operator runs in")
	flags.StringVar(&id.ServiceAccount, "service-account", id.ServiceAccount, "ServiceAccount that the operator runs under")
	if err := parse(flags, args); err != nil {
		return err
	}
	for name, value := range map[string]string{"namespace": id.Namespace, "service-account": id.ServiceAccount} {
		if problems := validation.IsDNS1123Subdomain(value); len(problems) > 0 {
			return fmt.Errorf("--%s=%q is no name: %s", name, value, problems[0])
		}
	}
	return gate.WriteYAML(w, gate.Objects(id)...)
}

// registerKubeconfig offers controller-runtime's --kubeconfig flag.
func registerKubeconfig(flags *flag.FlagSet) {
	config.RegisterFlags(flags)
}

// cachesSynced is ready once the operator has seen the cluster.
func cachesSynced(mgr ctrl.Manager) healthz.Checker {
	return func(req *http.Request) error {
		ctx, cancel := context.WithTimeout(req.Context(), time.Second)
		defer cancel()
		if !mgr.GetCache().WaitForCacheSync(ctx) {
			return errors.New("the caches are not synchronized yet")
		}
		return nil
	}
}
