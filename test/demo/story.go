// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"

	"github.com/backstay-dr/backstay/test/cluster/devcluster"
)

const (
	namespace  = "shop"
	oldVersion = "1.4.2"
	newVersion = "1.5.0"
	newImage   = "registry.example.com/shop:" + newVersion
	release    = "apprelease/shop-" + newVersion
)

// hold rolls out a new version while no backup can be taken, so that the hold can be looked at.
func (s *stage) hold(ctx context.Context) error {
	s.say("A backup of so small an application takes a second. To see the hold, stop Velero first.")
	if err := s.runCluster(ctx, "stop", devcluster.Velero); err != nil {
		return err
	}
	s.say("Now roll out version %s, with plain kubectl. The warnings come from the API server.", newVersion)
	if err := s.kubectlAll(ctx,
		[]string{"-n", namespace, "set", "image", "deployment", "--all", "*=" + newImage},
		s.wait(release, "--for=create"),
		s.wait(release, `--for=jsonpath={.status.conditions[?(@.type=="Ready")].reason}=VeleroNotResponding`),
	); err != nil {
		return err
	}
	s.say("All three Deployments are held: %s is asked for, and %s runs. The release says what it waits for.", newVersion, oldVersion)
	return s.kubectlAll(ctx,
		[]string{"-n", namespace, "get", "drplans,appreleases", "-o", "wide"},
		[]string{"-n", namespace, "get", "deployments,replicasets", "-o", "wide"},
		[]string{"-n", namespace, "get", release, "-o", `jsonpath={.status.conditions[?(@.type=="Ready")].message}{"\n"}`},
	)
}

// release lets Velero take the backup, and the rollout follows.
func (s *stage) release(ctx context.Context) error {
	s.say("Velero returns: one backup of the state before, then all three start.")
	if err := s.runCluster(ctx, "start", devcluster.Velero); err != nil {
		return err
	}
	if err := s.kubectlAll(ctx,
		s.wait(release, "--for=condition=BackedUp"),
		s.wait(release, "--for=condition=RolledOut"),
		s.wait("drplan/shop", "--for=condition=Drifted"),
		[]string{"-n", namespace, "get", "drplans,appreleases,deployments"},
		[]string{"-n", devcluster.VeleroNamespace, "get", "backups", "-L",
			"dr.backstay.dev/plan,dr.backstay.dev/version,dr.backstay.dev/release"},
		[]string{"-n", namespace, "get", "events", "--field-selector", "reportingComponent=backstay"},
	); err != nil {
		return err
	}
	s.say("The backup captured %s, and %s runs. The plan was written for %s and says that it is behind: VersionBehind.",
		oldVersion, newVersion, oldVersion)
	return nil
}
