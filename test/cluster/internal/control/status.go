// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package control lets a command talk to the process that supervises a cluster: by a socket while that
// process lives, by the status that it left when it does not.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// Phase is where a cluster is in its life.
type Phase string

// The phases of a cluster. Lost is never recorded: it is what a reader concludes from a recorded phase
// and a supervisor that is gone.
const (
	PhaseStarting Phase = "Starting"
	PhaseReady    Phase = "Ready"
	PhaseFailed   Phase = "Failed"
	PhaseStopped  Phase = "Stopped"
	PhaseLost     Phase = "Lost"
)

// ProgramState is where a program is in its life.
type ProgramState string

// The states of a program. Stopped was meant, Died was not.
const (
	StateStarting ProgramState = "Starting"
	StateReady    ProgramState = "Ready"
	StateStopped  ProgramState = "Stopped"
	StateDied     ProgramState = "Died"
)

// Status describes a cluster.
type Status struct {
	Name       string          `json:"name"`
	Folder     string          `json:"folder"`
	Phase      Phase           `json:"phase"`
	Message    string          `json:"message,omitempty"`
	PID        int             `json:"pid"`
	StartTime  time.Time       `json:"startTime"`
	Kubeconfig string          `json:"kubeconfig"`
	Programs   []ProgramStatus `json:"programs"`
}

// ProgramStatus describes one program of a cluster.
type ProgramStatus struct {
	Name      string       `json:"name"`
	State     ProgramState `json:"state"`
	PID       int          `json:"pid,omitempty"`
	StartTime *time.Time   `json:"startTime,omitempty"`
	Port      int          `json:"port,omitempty"`
	Log       string       `json:"log"`
	Message   string       `json:"message,omitempty"`
}

// Program returns the status of one program.
func (s Status) Program(name string) (ProgramStatus, bool) {
	for _, p := range s.Programs {
		if p.Name == name {
			return p, true
		}
	}
	return ProgramStatus{}, false
}

func statusPath(folder string) string { return filepath.Join(folder, "status.json") }

// WriteStatus records the status for the time when nobody can be asked any more.
func WriteStatus(s Status) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("recording the status: %w", err)
	}
	scratch := statusPath(s.Folder) + ".new"
	if err := os.WriteFile(scratch, text, 0o600); err != nil {
		return fmt.Errorf("recording the status: %w", err)
	}
	if err := os.Rename(scratch, statusPath(s.Folder)); err != nil {
		return fmt.Errorf("recording the status: %w", err)
	}
	return nil
}

// ErrNoCluster says that there has never been a cluster in a folder.
var ErrNoCluster = errors.New("no such cluster")

// ReadStatus returns the recorded status. A cluster that should run, but has no supervisor, is Lost.
func ReadStatus(folder string) (Status, error) {
	text, err := os.ReadFile(statusPath(folder))
	if errors.Is(err, os.ErrNotExist) {
		return Status{}, fmt.Errorf("%w: %s", ErrNoCluster, filepath.Base(folder))
	}
	if err != nil {
		return Status{}, fmt.Errorf("reading the status: %w", err)
	}
	var s Status
	if err := json.Unmarshal(text, &s); err != nil {
		return Status{}, fmt.Errorf("reading the status: %w", err)
	}
	if (s.Phase == PhaseStarting || s.Phase == PhaseReady) && !Running(folder) {
		s.markLost()
	}
	return s, nil
}

func (s *Status) markLost() {
	s.Phase = PhaseLost
	s.Message = fmt.Sprintf("its supervisor (pid %d) is gone, and all programs with it", s.PID)
	for i := range s.Programs {
		s.Programs[i] = ProgramStatus{Name: s.Programs[i].Name, State: StateDied, Log: s.Programs[i].Log}
	}
}

// Lock makes the calling process the supervisor of the folder until it unlocks or ends.
func Lock(folder string) (unlock func() error, err error) {
	f, err := os.OpenFile(lockPath(folder), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the cluster's folder: %w", err)
	}
	// A reader in Running holds the lock for an instant: once is not enough to tell.
	const limit, step = 500 * time.Millisecond, 20 * time.Millisecond
	err = wait.PollUntilContextTimeout(context.Background(), step, limit, true, func(context.Context) (bool, error) {
		return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil, nil
	})
	if err != nil {
		_ = f.Close() // Nothing was written.
		return nil, fmt.Errorf("cluster %s is running already", filepath.Base(folder))
	}
	return f.Close, nil
}

// Running reports whether a process supervises the folder.
func Running(folder string) bool {
	f, err := os.Open(lockPath(folder))
	if err != nil {
		return false
	}
	defer f.Close()
	// A shared lock: several readers may look at the same time.
	return syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) != nil
}

func lockPath(folder string) string { return filepath.Join(folder, "supervisor.lock") }
