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

// printGate writes the admission policies as YAML.
func printGate(args []string, w io.Writer) error {
	flags := flag.NewFlagSet("backstay gate", flag.ContinueOnError)
	id := gate.DefaultIdentity()
	flags.StringVar(&id.Namespace, "namespace", id.Namespace, "namespace that the operator runs in")
	flags.StringVar(&id.ServiceAccount, "service-account", id.ServiceAccount, "ServiceAccount that the operator runs under")
	if err := flags.Parse(args); err != nil {
		return err
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
