// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package supervise

import "syscall"

// ChildAttributes gives the child a process group of its own, so that it can be killed together with
// what it starts. Only Linux has death signals; elsewhere the guard alone sees to it.
func ChildAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
