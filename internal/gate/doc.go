// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package gate is the one source of the admission policies that hold a rollout inside the write that asks for it, and
// of everything that has to agree with them: the manifests in config/gate, the comparison with what is installed, and
// the probe that proves the gate to be in force.
//
// Per kind of workload there are these policies, each with a binding of the same name. Two are evaluated once for every
// DRPlan of the request's namespace, whatever it selects, and so cost every write of the namespace something:
//
//   - backstay-hold-<resource> mutates: it holds, holds again, honours an override, and drops marks that mean nothing;
//   - backstay-backstop-<resource> denies what a plan must not let pass: an override without the right to it, and a changed
//     template that nothing held, because the first policy is missing or another webhook changed the workload later.
//
// The others need no plan:
//
//   - backstay-marks-<resource> keeps our annotations honest;
//   - backstay-notice-<resource> warns: the person at the terminal is told that the rollout is held;
//   - backstay-override-<resource> denies an override that nothing honoured;
//   - backstay-marks-<revisions> does so where a revision, a ReplicaSet, is created, and
//   - backstay-revisions-<revisions> keeps the template of a revision, a ReplicaSet, what its controller made it. Of a
//     ControllerRevision the API server does;
//   - backstay-restore-<resource> gives a field back that has a value of the user's own, when the operator releases a hold;
//   - backstay-operator-<resource> and backstay-operator-metadata bound what the operator's own identity may do, to workloads,
//     Backups and releases;
//   - backstay-stamp-appreleases writes who created a release, and backstay-claims-appreleases refuses what it says about
//     images where its creator has no say in that.
//
// Two are about plans: backstay-count-drplans counts those of a namespace, and backstay-guard-drplans refuses too many. It also
// keeps a plan that holds something from being deleted or weakened by whoever may not override it.
//
// Namespaces that are labelled strict have two more: backstay-evaluated-<resource>, for each plan, writes down that the gate
// was asked about a changed template, and backstay-strict-<resource> fails closed where it was not.
//
// The package is pure: it builds and compares objects, and talks to no API server.
package gate
