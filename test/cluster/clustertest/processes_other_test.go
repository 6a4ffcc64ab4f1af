// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package clustertest

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// processesOf returns the processes that run for the cluster in a folder: the folder is in their arguments.
func processesOf(t *testing.T, folder string) []int {
	t.Helper()
	out, err := exec.Command("ps", "-axww", "-o", "pid=,command=").Output()
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if !strings.Contains(line, folder+"/") || len(fields) == 0 {
			continue
		}
		pid, err := strconv.Atoi(fields[0])
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}
