// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/backstay-dr/backstay/test/cluster/devcluster"
)

// operatorAccount is the ServiceAccount that the operator ships with: it has the same rights here as anywhere.
const operatorAccount = "backstay-system/backstay-controller-manager"

// clusterProgram runs development clusters.
const clusterProgram = "bin/cluster"

// build builds what the demo runs.
func (s *stage) build(ctx context.Context) error {
	return s.run(ctx, "go", "build", "-o", "bin/", "./test/cluster", "./cmd/backstay")
}

// cluster starts a development cluster of its own.
func (s *stage) cluster(ctx context.Context) error {
	s.say("A cluster: Kubernetes, simulated nodes, S3 storage and Velero, all of them processes of this machine.\n" +
		"They are built once, which takes some ten minutes on two cores; after that they are up within seconds.")
	if err := s.build(ctx); err != nil {
		return err
	}
	if devcluster.Running(s.folder) {
		s.say("The demo that still runs here, in the cluster %s, starts over.", s.name)
	}
	if err := s.runCluster(ctx, "down"); err != nil {
		return err
	}
	if err := s.runCluster(ctx, "up", "--detach"); err != nil {
		return err
	}
	var err error
	s.kubectl, err = s.output(ctx, clusterProgram, "bin", devcluster.Kubectl)
	return err
}

// install installs Backstay, and runs the operator as one more program of the cluster.
func (s *stage) install(ctx context.Context) error {
	s.say("Backstay: its kinds, roles and admission policies, then the operator under its own ServiceAccount.")
	if err := s.runKubectl(ctx, "apply", "--server-side", "-k", "config/devcluster"); err != nil {
		return err
	}
	kubeconfig, err := s.operatorKubeconfig(ctx)
	if err != nil {
		return err
	}
	metrics, probes, err := s.twoPorts(ctx)
	if err != nil {
		return err
	}
	return s.runCluster(ctx, "start", "--program", "backstay", "--env", "KUBECONFIG="+kubeconfig,
		"--ready-url", "http://"+probes+"/readyz", "--",
		"bin/backstay", "--metrics-bind-address", metrics, "--health-probe-bind-address", probes)
}

// operatorKubeconfig writes a kubeconfig with a token of the operator's ServiceAccount, into a folder that goes with
// the cluster.
func (s *stage) operatorKubeconfig(ctx context.Context) (string, error) {
	text, err := s.askCluster(ctx, "kubeconfig", "--service-account", operatorAccount)
	if err != nil {
		return "", err
	}
	path := filepath.Join(s.folder, "identities", "operator")
	return path, os.WriteFile(path, []byte(text), 0o600)
}

func (s *stage) twoPorts(ctx context.Context) (metrics, probes string, err error) {
	for _, address := range []*string{&metrics, &probes} {
		port, err := s.askCluster(ctx, "port")
		if err != nil {
			return "", "", err
		}
		*address = "127.0.0.1:" + port
	}
	return metrics, probes, nil
}

// application deploys the shop with its plan, and waits until the gate is proven.
func (s *stage) application(ctx context.Context) error {
	s.say("An application of three Deployments, version %s, and a DRPlan that was written for it.", oldVersion)
	if err := s.kubectlAll(ctx,
		[]string{"apply", "-k", "test/demo/shop"},
		s.wait("deployment", "--all", "--for=condition=Available"),
		s.wait("drplan/shop", "--for=condition=Gated"),
	); err != nil {
		return err
	}
	s.say("Gated is True: by a dry run of a changed template the operator has proven that a rollout would be held.\n" +
		"No backup protects the application yet.")
	return s.runKubectl(ctx, "-n", namespace, "get", "drplans", "-o", "wide")
}

// kubectlAll runs several commands of kubectl, one after another.
func (s *stage) kubectlAll(ctx context.Context, commands ...[]string) error {
	for _, args := range commands {
		if err := s.runKubectl(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

// wait is the command that waits for something in the application's namespace.
func (s *stage) wait(args ...string) []string {
	return append([]string{"-n", namespace, "wait", "--timeout=60s"}, args...)
}

// next prints what is worth trying next.
func (s *stage) next(context.Context) error {
	_, err := fmt.Fprintf(s.out, farewell, s.folder, filepath.Dir(s.kubectl), s.name, s.downCommand())
	return err
}

const farewell = `
# The demo goes on running. To look around, in this shell:

export KUBECONFIG=%[1]s/kubeconfig
export PATH=%[2]s:$PATH
kubectl -n shop describe apprelease shop-1.5.0     # everything that is known of the release
kubectl explain drplan.spec                        # what a plan can say
kubectl -n shop get appreleases -w                 # watch, in another shell

# The plan catches up, and is in sync again. Then go back to 1.4.2: a rollout like any other, with its own backup.

kubectl -n shop patch drplan shop --type merge -p '{"spec":{"version":"1.5.0"}}'
kubectl -n shop rollout undo deployment api web worker

# Without Velero a rollout stays held. Take the change back, and it is released at once.

bin/cluster stop --name %[3]s velero
kubectl -n shop set image deployment api '*=registry.example.com/shop:1.6.0'
kubectl -n shop set image deployment api '*=registry.example.com/shop:1.4.2'

# Or override the hold, for which you need the right to "override" the plan.

kubectl -n shop set image deployment api '*=registry.example.com/shop:1.7.0'
kubectl -n shop annotate deployment api dr.backstay.dev/override='the shop is down'

# Or start Velero again: what is held then waits for its backup, and no longer.

kubectl -n shop set image deployment web '*=registry.example.com/shop:1.7.0'
bin/cluster start --name %[3]s velero

# What the operator says; uninstall, which releases what is held and leaves nothing; and remove the cluster.

bin/cluster logs --name %[3]s backstay
OVERLAY=config/devcluster hack/undeploy.sh
%[4]s
`
