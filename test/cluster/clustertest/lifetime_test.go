// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package clustertest

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/backstay-dr/backstay/test/cluster/devcluster"
)

// clusterStatus is what "status -o json" prints.
type clusterStatus struct{ devcluster.Status }

func statusOf(t *testing.T, folder string) clusterStatus {
	t.Helper()
	// Its exit status tells only whether the cluster is ready.
	out, _ := exec.Command(command, "status", "-o", "json", "--dir", folder).Output()
	var s clusterStatus
	if err := json.Unmarshal(out, &s.Status); err != nil {
		t.Fatalf("status: %v\n%s", err, out)
	}
	return s
}

func (s clusterStatus) mustProgram(t *testing.T, name string) devcluster.ProgramStatus {
	t.Helper()
	p, known := s.Program(name)
	if !known {
		t.Fatalf("no program %s in %+v", name, s)
	}
	return p
}

// family is a program that starts another one, as Velero starts its plugins.
var family = []string{"/bin/sh", "-c", "sleep 1000 & sleep 1000"}

func TestClusterEndsWithAKilledSupervisor(t *testing.T) {
	folder := newFolder(t)
	up := []string{"up", "--detach", "--dir", folder, "--without", strings.Join(allButEtcd, ",")}
	mustRun(t, up...)
	mustRun(t, append([]string{"start", "--dir", folder, "--program", "family", "--"}, family...)...)
	eventually(t, "the family is complete", func() bool { return len(processesOf(t, folder)) == 4 })

	kill(t, statusOf(t, folder).PID)
	awaitNoProcess(t, folder)
	eventually(t, "the loss shows", func() bool { return statusOf(t, folder).Phase == "Lost" })
	out, _ := run(t, "status", "--dir", folder)
	mustContain(t, out, "Lost", "is gone, and all programs with it")

	mustRun(t, up...) // What the killed one left is no obstacle.
	mustRun(t, "down", "--dir", folder)
	awaitNoProcess(t, folder)
	mustNotExist(t, folder, "etcd", "pki", "kubeconfig", "identities")
	mustRun(t, "down", "--dir", folder)
}

func TestClusterDownCleansUpAfterAKilledSupervisor(t *testing.T) {
	folder := newFolder(t)
	mustRun(t, "up", "--detach", "--dir", folder, "--without", strings.Join(allButEtcd, ","))
	kill(t, statusOf(t, folder).PID)
	awaitNoProcess(t, folder)
	mustRun(t, "down", "--dir", folder)
	mustNotExist(t, folder, "etcd", "pki", "kubeconfig", "identities")
}

func TestClusterInTheForegroundEndsWith(t *testing.T) {
	tests := map[string]struct {
		through []string // what runs the command
		end     func(*testing.T, *exec.Cmd)
	}{
		"Ctrl-C":          {nil, func(t *testing.T, c *exec.Cmd) { signal(t, c, syscall.SIGINT) }},
		"SIGTERM":         {nil, func(t *testing.T, c *exec.Cmd) { signal(t, c, syscall.SIGTERM) }},
		"closed terminal": {nil, func(t *testing.T, c *exec.Cmd) { signal(t, c, syscall.SIGHUP) }},
		"SIGKILL":         {nil, func(t *testing.T, c *exec.Cmd) { signal(t, c, syscall.SIGKILL) }},
		// Not "exec": the shell stays as the parent, as "go run" does.
		"a killed parent": {[]string{"/bin/sh", "-c", "\"$@\"; true", "sh"}, func(t *testing.T, c *exec.Cmd) { signal(t, c, syscall.SIGKILL) }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			folder := newFolder(t)
			words := slices.Concat(test.through, []string{command, "up", "--dir", folder, "--without", strings.Join(allButEtcd, ",")})
			cmd := exec.Command(words[0], words[1:]...)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the cluster is ready", func() bool { return readyIn(folder) })
			test.end(t, cmd)
			_ = cmd.Wait() // It was ended.
			awaitNoProcess(t, folder)
		})
	}
}

func signal(t *testing.T, cmd *exec.Cmd, s syscall.Signal) {
	t.Helper()
	if err := cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// readyIn reports whether the status command succeeds, as a script would.
func readyIn(folder string) bool {
	return exec.Command(command, "status", "--dir", folder).Run() == nil
}

func TestClusterIsNotStartedForADeadCaller(t *testing.T) {
	folder := newFolder(t)
	// It never becomes ready, so that the caller is killed while it waits.
	binDir := impostors(t, map[string]string{devcluster.APIServer: "exec sleep 1000"})
	cmd := exec.Command(command, "up", "--detach", "--dir", folder, "--without", strings.Join(allButAPIServer, ","), "--bin-dir", binDir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "etcd and the impostor run", func() bool { return len(processesOf(t, folder)) == 2 })
	signal(t, cmd, syscall.SIGKILL)
	_ = cmd.Wait() // It was killed.
	awaitNoProcess(t, folder)
	eventually(t, "the supervisor has said why it gave up", func() bool {
		return strings.Contains(mustRun(t, "logs", "--dir", folder, "supervisor"), "whoever started the cluster is gone")
	})
}

func TestClusterIsStartedOnlyOnce(t *testing.T) {
	cluster := start(t, devcluster.Options{Without: allButAPIServer})
	out, err := run(t, "up", "--detach", "--dir", cluster.Folder())
	if err == nil {
		t.Errorf("it was started twice:\n%s", out)
	}
	mustContain(t, out, "is running already")
	_, err = devcluster.Start(t.Context(), devcluster.Options{Folder: cluster.Folder(), Without: allButAPIServer})
	if err == nil || !strings.Contains(err.Error(), "is running already") {
		t.Errorf("error %v, want that it runs already", err)
	}
	if got, want := cluster.Status().Phase, statusOf(t, cluster.Folder()).Phase; got != want || got != "Ready" {
		t.Errorf("phase %s, and %s for the command; want that the first one goes on", got, want)
	}
	if kubeconfig := mustRun(t, "kubeconfig", "--dir", cluster.Folder()); !strings.Contains(kubeconfig, cluster.RESTConfig().Host) {
		t.Errorf("kubeconfig of another cluster:\n%s", kubeconfig)
	}
	if filepath.Dir(cluster.Kubeconfig()) != cluster.Folder() {
		t.Errorf("kubeconfig is at %s", cluster.Kubeconfig())
	}
}
