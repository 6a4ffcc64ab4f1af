// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package supervise

import (
	"fmt"
	"io"
	"os/exec"
	"sync"
	"syscall"
)

// guardScript outlives its supervisor by one step: its standard input closes when the supervisor is
// gone, however that happened, and it then kills every process group that it was told of. A death
// signal (Pdeathsig) would reach the direct children only, and Velero's plugins are grandchildren.
// It is a shell script so that any program, a test binary included, can be a supervisor without
// having to start itself a second time.
const guardScript = `
trap '' HUP INT TERM
groups=' '
while read -r verb group; do
	case "$verb" in
	watch) groups="$groups$group " ;;
	forget) groups="${groups%% $group *} ${groups#* $group }" ;;
	esac
done
for group in $groups; do
	kill -9 -"$group" 2>/dev/null
done
:
`

// guard is the supervisor's hold on the guard process.
type guard struct {
	mu    sync.Mutex
	input io.WriteCloser
	cmd   *exec.Cmd
	died  chan struct{}
}

func startGuard() (*guard, error) {
	cmd := exec.Command("/bin/sh", "-c", guardScript)
	cmd.Dir = "/"
	cmd.Env = []string{}
	// A session of its own: Ctrl-C in the supervisor's terminal must not end the guard first.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("guard process: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("guard process: %w", err)
	}
	g := &guard{input: input, cmd: cmd, died: make(chan struct{})}
	go func() {
		defer close(g.died)
		_ = cmd.Wait() // How it ended does not matter: without a guard the supervisor must stop.
	}()
	return g, nil
}

func (g *guard) watch(group int) error { return g.tell("watch", group) }

func (g *guard) forget(group int) error { return g.tell("forget", group) }

func (g *guard) tell(verb string, group int) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, err := fmt.Fprintf(g.input, "%s %d\n", verb, group); err != nil {
		return fmt.Errorf("guard process: %w", err)
	}
	return nil
}

// close ends the guard, which kills what it still watches.
func (g *guard) close() {
	g.mu.Lock()
	_ = g.input.Close() // It fails only if the guard is gone already.
	g.mu.Unlock()
	<-g.died
}
