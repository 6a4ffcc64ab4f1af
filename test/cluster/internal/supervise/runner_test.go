// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package supervise

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// family is a program that starts another one, prints both process ids, and waits.
const family = `sleep 1000 & echo "$$ $!"; wait`

// asSupervisor makes the test binary a supervisor of the family instead: somebody has to be killed.
const asSupervisor = "BACKSTAY_TEST_SUPERVISOR_LOG"

func TestMain(m *testing.M) {
	if log := os.Getenv(asSupervisor); log != "" {
		superviseFamily(log)
	}
	os.Exit(m.Run())
}

func superviseFamily(log string) {
	runner, err := NewRunner()
	if err == nil {
		_, err = runner.Start(Command{Name: "family", Path: "/bin/sh", Args: []string{"-c", family}, Log: log})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("supervising")
	select {}
}

func newRunner(t *testing.T) *Runner {
	t.Helper()
	runner, err := NewRunner()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(runner.Close)
	return runner
}

func start(t *testing.T, runner *Runner, script string) *Process {
	t.Helper()
	p, err := runner.Start(Command{
		Name: "script", Path: "/bin/sh", Args: []string{"-c", script}, Log: filepath.Join(t.TempDir(), "logs", "script.log"),
		Env: []string{"PATH=" + os.Getenv("PATH")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// eventually waits for something that the kernel does in its own time.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	err := wait.PollUntilContextTimeout(t.Context(), 2*time.Millisecond, 10*time.Second, true, func(context.Context) (bool, error) {
		return holds(), nil
	})
	if err != nil {
		t.Fatalf("waited in vain: %s", what)
	}
}

// members waits for the family's log and returns its process ids.
func members(t *testing.T, log string) []int {
	t.Helper()
	var pids []int
	eventually(t, "the family says who it is", func() bool {
		text, err := os.ReadFile(log)
		if err != nil || !strings.HasSuffix(string(text), "\n") {
			return false
		}
		for _, field := range strings.Fields(string(text)) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				t.Fatalf("unexpected output: %q", text)
			}
			pids = append(pids, pid)
		}
		return true
	})
	return pids
}

func awaitGone(t *testing.T, pids []int) {
	t.Helper()
	for _, pid := range pids {
		eventually(t, fmt.Sprintf("process %d is gone", pid), func() bool { return !alive(pid) })
	}
}

func TestRunnerReportsHowAProgramEnded(t *testing.T) {
	tests := map[string]struct{ script, outcome, tail string }{
		"well":        {"echo done", "exit status 0", "done"},
		"with status": {"echo one; echo two >&2; exit 3", "exit status 3", "one\ntwo"},
		"by a signal": {"kill -9 $$", "signal: killed", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := start(t, newRunner(t), test.script)
			<-p.Done()
			if got := p.Outcome(); got != test.outcome {
				t.Errorf("outcome %q, want %q", got, test.outcome)
			}
			if got := p.Tail(10); got != test.tail {
				t.Errorf("tail %q, want %q", got, test.tail)
			}
		})
	}
}

func TestRunnerPassesNoEnvironmentOn(t *testing.T) {
	t.Setenv("BACKSTAY_TEST_SECRET", "must not be seen")
	log := filepath.Join(t.TempDir(), "log")
	p, err := newRunner(t).Start(Command{Name: "env", Path: "/usr/bin/env", Log: log})
	if err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	if text, err := os.ReadFile(log); err != nil || len(text) > 0 {
		t.Errorf("environment %q, error %v; want none", text, err)
	}
}

func TestRunnerTellsWhatCannotBeStarted(t *testing.T) {
	_, err := newRunner(t).Start(Command{Name: "ghost", Path: "/nonexistent/ghost", Log: filepath.Join(t.TempDir(), "log")})
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "ghost cannot be started") {
		t.Errorf("unexpected error: %v", err)
	}
}

func TestTailIsOfTheLatestRunOnly(t *testing.T) {
	runner, log := newRunner(t), filepath.Join(t.TempDir(), "log")
	for _, word := range []string{"first", "second"} {
		p, err := runner.Start(Command{Name: "echo", Path: "/bin/echo", Args: []string{word}, Log: log})
		if err != nil {
			t.Fatal(err)
		}
		<-p.Done()
		if got := p.Tail(10); got != word {
			t.Errorf("tail %q, want %q", got, word)
		}
	}
}

func TestStopKillsWhatDoesNotListen(t *testing.T) {
	p := start(t, newRunner(t), "trap '' TERM; echo ready; while :; do sleep 1; done")
	eventually(t, "the trap is set", func() bool { return p.Tail(1) == "ready" })
	p.Stop(50 * time.Millisecond)
	if got, want := p.Outcome(), "signal: killed"; got != want {
		t.Errorf("outcome %q, want %q", got, want)
	}
}

func TestStopGivesTimeToEndWell(t *testing.T) {
	p := start(t, newRunner(t), "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done")
	eventually(t, "the trap is set", func() bool { return p.Tail(1) == "ready" })
	p.Stop(10 * time.Second)
	if got, want := p.Outcome()+", "+p.Tail(1), "exit status 0, bye"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	p.Stop(time.Second) // A second time has nothing to do, and must not hang.
}

func TestGrandchildrenGoWithTheirProgram(t *testing.T) {
	ways := map[string]func(*testing.T, *Runner, *Process){
		"killed": func(t *testing.T, _ *Runner, p *Process) {
			if err := p.Signal(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			<-p.Done()
		},
		"stopped":       func(_ *testing.T, _ *Runner, p *Process) { p.Stop(time.Second) },
		"runner closed": func(_ *testing.T, r *Runner, p *Process) { r.Close(); <-p.Done() },
	}
	for name, end := range ways {
		t.Run(name, func(t *testing.T) {
			runner := newRunner(t)
			p := start(t, runner, family)
			pids := members(t, p.log)
			end(t, runner, p)
			awaitGone(t, pids)
		})
	}
}

func TestNothingSurvivesAKilledSupervisor(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	supervisor := exec.Command(os.Args[0])
	supervisor.Env = append(os.Environ(), asSupervisor+"="+log)
	supervisor.Stderr = os.Stderr
	said, err := supervisor.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := supervisor.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(said).ReadString('\n'); err != nil {
		t.Fatalf("the supervisor said %q: %v", line, err)
	}
	pids := members(t, log)
	if len(pids) != 2 || !alive(pids[0]) || !alive(pids[1]) {
		t.Fatalf("family %v does not live", pids)
	}
	if err := supervisor.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = supervisor.Wait() // It was killed.
	awaitGone(t, pids)
}

func TestGuardDiedTellsOfAKilledGuard(t *testing.T) {
	runner := newRunner(t)
	if err := runner.guard.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-runner.GuardDied():
	case <-time.After(10 * time.Second):
		t.Fatal("nobody noticed")
	}
	if _, err := runner.Start(Command{Name: "late", Path: "/bin/sleep", Args: []string{"1000"}, Log: filepath.Join(t.TempDir(), "log")}); err == nil {
		t.Error("a program was started without a guard")
	}
}

func TestGuardForgetsWhatHasEnded(t *testing.T) {
	g, err := startGuard()
	if err != nil {
		t.Fatal(err)
	}
	var groups []*exec.Cmd
	for range 3 {
		cmd := exec.Command("/bin/sleep", "1000")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill() }) // It may be gone already.
		groups = append(groups, cmd)
		if err := g.watch(cmd.Process.Pid); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.forget(groups[1].Process.Pid); err != nil {
		t.Fatal(err)
	}
	g.close()
	awaitGone(t, []int{groups[0].Process.Pid, groups[2].Process.Pid})
	// The guard's own signal would be pending by now, so that this one comes too late to tell another story.
	if err := groups[1].Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := groups[1].Wait(); err == nil || err.Error() != "signal: terminated" {
		t.Errorf("the forgotten group ended with %v, want the signal of this test", err)
	}
}
