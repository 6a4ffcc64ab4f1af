// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package supervise

import "syscall"

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }
