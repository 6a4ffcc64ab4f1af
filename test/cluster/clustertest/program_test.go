// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package clustertest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/backstay-dr/backstay/test/cluster/devcluster"
)

// program is one that is ready when it has written a file.
func program(t *testing.T, name string) (devcluster.Program, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ready")
	return devcluster.Program{
		Name: name, Path: "/bin/sh", Env: []string{"FILE=" + file},
		Args: []string{"-c", `echo "hello from $$"; sleep 1000 & echo $$ > "$FILE"; wait`},
		Ready: func(context.Context) error {
			_, err := os.Stat(file)
			return err
		},
	}, file
}

func TestClusterRunsAddedPrograms(t *testing.T) {
	cluster := start(t, devcluster.Options{Without: allButEtcd})
	p, file := program(t, "operator")
	if err := cluster.Run(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	state := func() devcluster.ProgramStatus {
		s, _ := cluster.Status().Program("operator")
		return s
	}
	first := state()
	if pid, err := os.ReadFile(file); err != nil || strings.TrimSpace(string(pid)) != fmt.Sprint(first.PID) || first.State != "Ready" {
		t.Fatalf("pid %q (%v), status %+v", pid, err, first)
	}
	if err := cluster.Run(t.Context(), p); err == nil || !strings.Contains(err.Error(), "runs already") {
		t.Errorf("a second time: error %v", err)
	}

	if err := cluster.KillProgram(t.Context(), "operator", syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if s := state(); s.State != "Stopped" || s.PID != 0 {
		t.Errorf("after it was killed on purpose: %+v", s)
	}
	if left := processesOf(t, cluster.Folder()); len(left) != 1 {
		t.Errorf("%d processes, want only etcd", len(left))
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := cluster.StartProgram(t.Context(), "operator"); err != nil {
		t.Fatal(err)
	}
	second := state()
	if second.State != "Ready" || second.PID == first.PID {
		t.Errorf("started again: %+v", second)
	}
	log, err := os.ReadFile(second.Log)
	if want := fmt.Sprintf("hello from %d\nhello from %d\n", first.PID, second.PID); err != nil || string(log) != want {
		t.Errorf("log %q, error %v; want %q", log, err, want)
	}
}

func TestClusterSurvivesAnAddedProgram(t *testing.T) {
	cluster := start(t, devcluster.Options{Without: allButEtcd})
	p, _ := program(t, "operator")
	if err := cluster.Run(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	s, _ := cluster.Status().Program("operator")
	kill(t, s.PID)
	eventually(t, "the death shows", func() bool {
		s, _ := cluster.Status().Program("operator")
		return s.State == "Died" && s.Message == "signal: killed"
	})
	if phase := cluster.Status().Phase; phase != "Ready" {
		t.Errorf("the cluster is %s, want that it goes on", phase)
	}
	p.Args = []string{"-c", "echo cannot; exit 4"}
	p.Ready = func(context.Context) error { return errors.New("not yet") }
	var died *devcluster.ProgramDiedError
	if err := cluster.Run(t.Context(), p); !errors.As(err, &died) || died.Outcome != "exit status 4" || died.Tail != "cannot" {
		t.Errorf("error %v, want that it died", err)
	}
}

func TestClusterRefusesProgramsOfItsOwn(t *testing.T) {
	cluster := start(t, devcluster.Options{Without: allButEtcd})
	for _, name := range []string{devcluster.Etcd, devcluster.Velero, "Operator", "../x", ""} {
		if err := cluster.Run(t.Context(), devcluster.Program{Name: name, Path: "/bin/true"}); err == nil {
			t.Errorf("a program %q was accepted", name)
		}
	}
	if err := cluster.StartProgram(t.Context(), "ghost"); err == nil || !strings.Contains(err.Error(), `no program "ghost"`) {
		t.Errorf("unexpected error: %v", err)
	}
	if err := cluster.StopProgram(t.Context(), "ghost"); err == nil || !strings.Contains(err.Error(), `no program "ghost"`) {
		t.Errorf("unexpected error: %v", err)
	}
}

// TestClusterCommandAddsPrograms takes etcd's health check for that of the program: it is a URL that answers.
func TestClusterCommandAddsPrograms(t *testing.T) {
	cluster := start(t, devcluster.Options{Without: allButEtcd})
	here := []string{"--dir", cluster.Folder()}
	etcd, _ := cluster.Status().Program(devcluster.Etcd)
	url := fmt.Sprintf("http://127.0.0.1:%d/health", etcd.Port)
	mustRun(t, append([]string{"start", "--dir", cluster.Folder(), "--program", "family", "--env", "A=b, c", "--ready-url", url, "--",
		"/bin/sh", "-c"}, `echo "A is $A"; exec sleep 1000`)...)
	mustContain(t, mustRun(t, append([]string{"status"}, here...)...), "family")
	eventually(t, "its log can be read", func() bool { return mustRun(t, append([]string{"logs", "family"}, here...)...) == "A is b, c\n" })
	mustRun(t, append([]string{"stop", "family"}, here...)...)
	if s, _ := cluster.Status().Program("family"); s.State != "Stopped" {
		t.Errorf("after stop: %+v", s)
	}
	mustRun(t, append([]string{"start", "family"}, here...)...)
	if s, _ := cluster.Status().Program("family"); s.State != "Ready" {
		t.Errorf("after start: %+v", s)
	}
	port := strings.TrimSpace(mustRun(t, append([]string{"port"}, here...)...))
	if connection, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
		t.Errorf("something listens on the free port %s", port)
		_ = connection.Close() // It should not have been there.
	}
}
