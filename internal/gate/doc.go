// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package gate is the one source of the admission policies that hold a rollout inside the write that asks for it, and
// of everything that has to agree with them: the manifests in config/gate, the comparison with what is installed, and
// the probe that proves the gate to be in force.
//
// Per kind of workload there are four policies, each with a binding of the same name and each evaluated once for
// every DRPlan of the request's namespace:
//
//   - backstay-hold-<resource> mutates: it holds, holds again, honours an override, and drops marks that mean nothing;
//   - backstay-notice-<resource> warns: the person at the terminal is told that the rollout is held;
//   - backstay-backstop-<resource> denies what must not pass: an override without the right to it, and a changed
//     template that nothing held, because the first policy is missing or another webhook changed the workload later;
//   - backstay-strict-<resource> is the same for namespaces labelled strict, where it fails closed.
//
// One more needs no plan: backstay-marks-<resource> keeps our annotations honest. And backstay-operator-<resource> and
// backstay-operator-metadata bound what the operator's own identity may do, to workloads, Backups and releases.
// Two are about releases: backstay-stamp-appreleases writes who created one, and backstay-claims-appreleases refuses what it says about
// images where its creator has no say in that.
//
// The package is pure: it builds and compares objects, and talks to no API server.
package gate
