// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package clustertest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/backstay-dr/backstay/test/cluster/devcluster"
	"github.com/backstay-dr/backstay/test/cluster/internal/control"
)

// command is the file of the cluster command, built for these tests.
var command string

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard()) // Clients complain if nobody says where they may log.
	code, err := prepareAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func prepareAndRun(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "clustertest-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	command = filepath.Join(dir, "cluster")
	build := exec.Command("go", "build", "-o", command, "github.com/backstay-dr/backstay/test/cluster")
	if out, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("building the cluster command: %w\n%s", err, out)
	}
	if err := devcluster.Build(context.Background(), devcluster.Options{Output: os.Stderr}); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

// Most of what is tested here does not depend on how many programs a cluster has.
var (
	allButAPIServer = []string{
		devcluster.ControllerManager, devcluster.Scheduler, devcluster.Kwok, devcluster.ObjectStorage, devcluster.Velero,
	}
	allButEtcd = append([]string{devcluster.APIServer}, allButAPIServer...)
)

// newFolder returns a folder for one cluster, with a path that is short enough for sockets, and checks in
// the end that no process of that cluster is left.
func newFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "cluster-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			// A test that gave up early must not leave its cluster to the machine.
			if err := devcluster.Down(context.Background(), devcluster.DefaultName, folder); err != nil {
				t.Error(err)
			}
		}
		awaitNoProcess(t, folder)
		if t.Failed() {
			t.Logf("logs are kept in %s", folder)
			return
		}
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	})
	return folder
}

// start starts a cluster that ends with the test.
func start(t *testing.T, o devcluster.Options) *devcluster.Cluster {
	t.Helper()
	if o.Folder == "" {
		o.Folder = newFolder(t)
	}
	o.Output = &testLog{t: t}
	cluster, err := devcluster.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Down)
	return cluster
}

// testLog shows a cluster's progress as the test's.
type testLog struct{ t *testing.T }

func (l *testLog) Write(text []byte) (int, error) {
	fmt.Fprintf(l.t.Output(), "%s", text)
	return len(text), nil
}

// eventually waits for something that happens in its own time. It serves cleanups too, where the context
// of the test is over.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	err := wait.PollUntilContextTimeout(context.Background(), 10*time.Millisecond, time.Minute, true, func(context.Context) (bool, error) {
		return holds(), nil
	})
	if err != nil {
		t.Fatalf("waited in vain: %s", what)
	}
}

// awaitNoProcess waits until neither a program nor the supervisor of a cluster is left.
func awaitNoProcess(t *testing.T, folder string) {
	t.Helper()
	eventually(t, "no process of "+folder+" is left", func() bool {
		return len(processesOf(t, folder)) == 0 && !control.Running(folder)
	})
}

// run runs the cluster command and returns what it printed.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

func mustRun(t *testing.T, args ...string) string {
	t.Helper()
	out, err := run(t, args...)
	if err != nil {
		t.Fatalf("cluster %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// kill kills a process and does not wait for it.
func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// impostors returns a folder of binaries in which scripts stand for programs.
func impostors(t *testing.T, scripts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, script := range scripts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// mustContain checks that a text has all the parts.
func mustContain(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("lacks %q:\n%s", part, text)
		}
	}
}
