// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/backstay-dr/backstay/test/cluster/devcluster"
)

const (
	operatorName      = "backstay"
	operatorNamespace = "backstay-system"
	operatorAccount   = "backstay-controller-manager"
)

// buildOperator builds the operator as it is in the checkout.
func buildOperator(ctx context.Context) (string, error) {
	path := filepath.Join(root(), "bin", "e2e", "backstay")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", path, "./cmd/backstay")
	cmd.Dir = root()
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the operator: %w\n%s", err, out)
	}
	return path, nil
}

// startOperator runs the operator under its own ServiceAccount, as one more program of the cluster.
func (i *installation) startOperator(ctx context.Context, name string) error {
	kubeconfig, err := i.cluster.ServiceAccountKubeconfig(ctx, operatorNamespace, operatorAccount)
	if err != nil {
		return err
	}
	metrics, err := i.cluster.ReservePort()
	if err != nil {
		return err
	}
	probes, err := i.cluster.ReservePort()
	if err != nil {
		return err
	}
	i.started = true
	return i.cluster.Run(ctx, devcluster.Program{
		Name: name, Path: i.operatorBinary, Port: probes,
		Env: []string{"KUBECONFIG=" + kubeconfig},
		Args: []string{
			fmt.Sprintf("--metrics-bind-address=127.0.0.1:%d", metrics),
			fmt.Sprintf("--health-probe-bind-address=127.0.0.1:%d", probes),
		},
		Ready: func(ctx context.Context) error { return ready(ctx, probes) },
	})
}

func ready(ctx context.Context, port int) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/readyz", port), nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	if err := answer.Body.Close(); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	return nil
}

// killOperator ends the operator as a crash would. It is started again when the test is over, at the latest.
func (i *installation) killOperator(t *testing.T) {
	t.Helper()
	i.killProgram(t, operatorName)
}

// killProgram kills a program; it is started again when the test is over, at the latest.
func (i *installation) killProgram(t *testing.T, program string) {
	t.Helper()
	if err := i.cluster.KillProgram(t.Context(), program, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.ensureRunning(t, program) })
}

// freeze stops a program in its tracks: its connections stay open, and nobody answers. It thaws when the test is over, at
// the latest.
func (i *installation) freeze(t *testing.T, program string) (thaw func()) {
	t.Helper()
	p, ok := i.cluster.Status().Program(program)
	if !ok {
		t.Fatalf("there is no program %s", program)
	}
	if err := syscall.Kill(p.PID, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	thaw = sync.OnceFunc(func() {
		if err := syscall.Kill(p.PID, syscall.SIGCONT); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(thaw)
	return thaw
}

// restart starts a program that was stopped.
func (i *installation) restart(t *testing.T, program string) {
	t.Helper()
	if err := i.cluster.StartProgram(t.Context(), program); err != nil {
		t.Fatal(err)
	}
}

// stopVelero stops Velero; it is started again when the test is over, at the latest.
func (i *installation) stopVelero(t *testing.T) {
	t.Helper()
	i.stopProgram(t, devcluster.Velero)
}

// stopProgram stops a program of the cluster; it is started again when the test is over, at the latest.
func (i *installation) stopProgram(t *testing.T, program string) {
	t.Helper()
	if err := i.cluster.StopProgram(t.Context(), program); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.ensureRunning(t, program) })
}

func (i *installation) ensureRunning(t *testing.T, program string) {
	t.Helper()
	for _, p := range i.cluster.Status().Programs {
		if p.Name == program && p.State == "Ready" {
			return
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := i.cluster.StartProgram(ctx, program); err != nil {
		t.Errorf("start %s again: %v", program, err)
	}
}

// operatorLog is what an operator said.
func (i *installation) operatorLog(name string) string {
	text, err := os.ReadFile(filepath.Join(i.cluster.Folder(), "logs", name+".log"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
