// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package clustertest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/backstay-dr/backstay/test/cluster/devcluster"
)

// shout prints more lines than an error shows, and ends with status 1.
const shout = "i=0; while [ $i -lt 30 ]; do i=$((i+1)); echo \"line $i\"; done; echo 'fatal: no such luck' >&2; exit 1"

func TestClusterFailedStartShowsTheLog(t *testing.T) {
	folder := newFolder(t)
	_, err := devcluster.Start(t.Context(), devcluster.Options{
		Folder: folder, Without: allButAPIServer, BinDir: impostors(t, map[string]string{devcluster.APIServer: shout}),
	})
	var died *devcluster.ProgramDiedError
	if !errors.As(err, &died) || died.Program != devcluster.APIServer || died.Outcome != "exit status 1" {
		t.Fatalf("unexpected error: %v", err)
	}
	mustContain(t, err.Error(), "kube-apiserver died (exit status 1)", died.Log, "line 30\nfatal: no such luck")
	if strings.Contains(err.Error(), "line 10\n") {
		t.Errorf("the error shows too much: %v", err)
	}
	awaitNoProcess(t, folder)
	mustNotExist(t, folder, "etcd", "pki", "kubeconfig", "identities")
}

// mustNotExist checks that data and keys are gone. Logs and the status stay.
func mustNotExist(t *testing.T, folder string, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(folder, name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left behind (%v)", name, err)
		}
	}
	for _, name := range []string{"logs/etcd.log", "status.json"} {
		if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
			t.Error(err)
		}
	}
}

func TestClusterFailedDetachedStart(t *testing.T) {
	folder := newFolder(t)
	binDir := impostors(t, map[string]string{devcluster.APIServer: shout})
	out, err := run(t, "up", "--detach", "--dir", folder, "--without", strings.Join(allButAPIServer, ","), "--bin-dir", binDir)
	if err == nil {
		t.Fatalf("it succeeded:\n%s", out)
	}
	mustContain(t, out, "kube-apiserver died (exit status 1)", "line 30\nfatal: no such luck")
	out, err = run(t, "status", "--dir", folder)
	if err == nil {
		t.Error("the status of a failed cluster is no success")
	}
	mustContain(t, out, "Failed", "kube-apiserver died (exit status 1)", "fatal: no such luck")
	awaitNoProcess(t, folder)
}

func TestClusterStartCanBeCancelled(t *testing.T) {
	folder := newFolder(t)
	o := devcluster.Options{
		Folder: folder, Without: allButAPIServer,
		BinDir: impostors(t, map[string]string{devcluster.APIServer: "echo waiting for etcd; exec sleep 1000"}),
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error)
	go func() {
		_, err := devcluster.Start(ctx, o)
		ended <- err
	}()
	eventually(t, "the impostor runs", func() bool {
		// There is no log before.
		log, _ := os.ReadFile(filepath.Join(folder, "logs", devcluster.APIServer+".log"))
		return string(log) == "waiting for etcd\n"
	})
	cancel()
	err := <-ended
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want the end of the context", err)
	}
	mustContain(t, err.Error(), "kube-apiserver is not ready", "waiting for etcd")
	awaitNoProcess(t, folder)
}

func TestClusterReportsAProgramThatDies(t *testing.T) {
	cluster := start(t, devcluster.Options{Without: allButEtcd})
	etcd, _ := cluster.Status().Program(devcluster.Etcd)
	kill(t, etcd.PID)
	select {
	case <-cluster.Done():
	case <-time.After(20 * time.Second):
		t.Fatal("nobody noticed")
	}
	var died *devcluster.ProgramDiedError
	if err := cluster.Err(); !errors.As(err, &died) || died.Program != devcluster.Etcd || died.Outcome != "signal: killed" {
		t.Errorf("unexpected error: %v", err)
	}
	awaitNoProcess(t, cluster.Folder())
}

func TestClusterStatusTellsWhatDied(t *testing.T) {
	folder := newFolder(t)
	mustRun(t, "up", "--detach", "--dir", folder, "--without", strings.Join(allButEtcd, ","))
	kill(t, statusOf(t, folder).mustProgram(t, devcluster.Etcd).PID)
	awaitNoProcess(t, folder)
	eventually(t, "the failure is recorded", func() bool { return statusOf(t, folder).Phase == "Failed" })
	out, err := run(t, "status", "--dir", folder)
	if err == nil {
		t.Error("the status of a failed cluster is no success")
	}
	mustContain(t, out, "etcd died (signal: killed)", filepath.Join(folder, "logs", "etcd.log"))
	eventually(t, "the supervisor has said why it ended", func() bool {
		return strings.Contains(mustRun(t, "logs", "--dir", folder, "supervisor"), "etcd died (signal: killed)")
	})
	mustRun(t, "down", "--dir", folder)
}
