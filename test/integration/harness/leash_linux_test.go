// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// envVictim makes this test binary start a control plane, say so, and wait to be killed.
const envVictim = "BACKSTAY_TEST_VICTIM"

func TestMain(m *testing.M) {
	if os.Getenv(envVictim) == "" {
		os.Exit(m.Run())
	}
	_, err := Start(Options{WithoutCRDs: true})
	fmt.Println("started:", err)
	select {}
}

func TestControlPlaneDoesNotOutliveAKilledTest(t *testing.T) {
	victim := exec.Command(os.Args[0])
	victim.Env = append(os.Environ(), envVictim+"=1", "TMPDIR="+t.TempDir())
	stdout, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewScanner(stdout)
	if !said.Scan() || said.Text() != "started: <nil>" {
		t.Errorf("the victim did not start: %s", said.Text())
	}
	programs := childrenOf(t, victim.Process.Pid)
	if len(programs) != 2 {
		t.Errorf("the victim has the children %v, not an etcd and an API server", programs)
	}
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = victim.Wait()
	for _, pid := range programs {
		Eventually(t, fmt.Sprintf("process %d ends", pid), 5*time.Second, func(context.Context) error {
			if state, _, running := processStat(pid); running {
				return fmt.Errorf("its state is %s", state)
			}
			return nil
		})
	}
}

func childrenOf(t *testing.T, parent int) []int {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	var out []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if _, of, running := processStat(pid); running && of == strconv.Itoa(parent) {
			out = append(out, pid)
		}
	}
	return out
}

// processStat is a process's state and parent. One that nobody has waited for yet does not run.
func processStat(pid int) (state, parent string, running bool) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", "", false
	}
	// The name of the program, in parentheses, may hold anything.
	fields := strings.Fields(string(raw[strings.LastIndex(string(raw), ")")+1:]))
	return fields[0], fields[1], fields[0] != "Z"
}
