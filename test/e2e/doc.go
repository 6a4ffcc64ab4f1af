// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package e2e tests the promises of Backstay on the development cluster: the operator's own binary, under the
// ServiceAccount and the roles that it ships with, beside a real Velero. Users act by kubectl.
package e2e
