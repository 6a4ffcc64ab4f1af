// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package ports finds free TCP ports and keeps them for one cluster.
package ports

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
)

// The range lies below the ephemeral ports of Linux (32768) and macOS (49152), so that no outgoing
// connection takes a port between its choice and the moment when its program listens.
const (
	first = 20000
	last  = 32000
)

// errTaken marks a port that somebody else has.
var errTaken = errors.New("port is taken")

// Reservation holds ports against every other Reservation in the same folder until it is closed, also
// while no program listens on them.
type Reservation struct {
	dir   string
	mu    sync.Mutex
	locks map[int]*os.File
}

// NewReservation keeps its lock files in dir, which clusters that run side by side must share.
func NewReservation(dir string) (*Reservation, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("reserving ports: %w", err)
	}
	return &Reservation{dir: dir, locks: map[int]*os.File{}}, nil
}

// Take returns a port on the loopback address that nobody listens on or has reserved.
func (r *Reservation) Take() (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	size := last - first
	start := rand.IntN(size)
	for i := range size {
		port := first + (start+i)%size
		lock, err := reserve(r.dir, port)
		if errors.Is(err, errTaken) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("reserving port %d: %w", port, err)
		}
		r.locks[port] = lock
		return port, nil
	}
	return 0, fmt.Errorf("no free port between %d and %d", first, last)
}

// Close gives all ports back.
func (r *Reservation) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for port, lock := range r.locks {
		errs = append(errs, lock.Close())
		delete(r.locks, port)
	}
	return errors.Join(errs...)
}

// reserve locks the port's file and tries to listen. The file stays: removing it would let two
// processes hold a lock on "the same" file.
func reserve(dir string, port int) (_ *os.File, err error) {
	lock, err := os.OpenFile(filepath.Join(dir, strconv.Itoa(port)), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = lock.Close() // The error at hand says more.
		}
	}()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errTaken
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, errTaken
	}
	if err := listener.Close(); err != nil {
		return nil, err
	}
	return lock, nil
}
