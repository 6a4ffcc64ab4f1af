// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package supervise

import "syscall"

// ChildAttributes gives the child a process group of its own, so that it can be killed together with
// what it starts, and a death signal. The kernel sends that when the *thread* that forked the child ends,
// so the caller must keep that thread.
func ChildAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
