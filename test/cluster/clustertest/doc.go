// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package clustertest tests the development cluster with its real programs. It builds them if the cache
// lacks them, which takes minutes: run "go run ./test/cluster build" first, for its progress.
package clustertest
