// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package clustertest

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// processesOf returns the processes that run for the cluster in a folder: their home is in it, and whatever
// they start inherits that.
func processesOf(t *testing.T, folder string) []int {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	mark := []byte("HOME=" + filepath.Join(folder, "home"))
	var pids []int
	for _, file := range files {
		// A process may end meanwhile, and that of another user is none of ours.
		environment, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		for variable := range bytes.SplitSeq(environment, []byte{0}) {
			if !bytes.Equal(variable, mark) {
				continue
			}
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}
