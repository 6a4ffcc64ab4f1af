// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package ports

import (
	"errors"
	"net"
	"strconv"
	"testing"
)

func newReservation(t *testing.T, dir string) *Reservation {
	t.Helper()
	r, err := NewReservation(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func take(t *testing.T, r *Reservation) int {
	t.Helper()
	port, err := r.Take()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func TestPortsAreInTheRangeAndFree(t *testing.T) {
	r := newReservation(t, t.TempDir())
	for range 20 {
		port := take(t, r)
		if port < first || port >= last {
			t.Errorf("port %d is not in %d to %d", port, first, last)
		}
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			t.Errorf("port %d is not free: %v", port, err)
			continue
		}
		// Open until the end: every port must be usable beside the others.
		t.Cleanup(func() { _ = listener.Close() })
	}
}

func TestAReservedPortIsNotGivenTwice(t *testing.T) {
	dir := t.TempDir()
	port := take(t, newReservation(t, dir))
	if lock, err := reserve(dir, port); !errors.Is(err, errTaken) {
		t.Errorf("got %v, error %v; want that the port is taken", lock, err)
	}
}

func TestAPortThatSomebodyListensOnIsNotTaken(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port
	if lock, err := reserve(t.TempDir(), port); !errors.Is(err, errTaken) {
		t.Errorf("got %v, error %v; want that the port is taken", lock, err)
	}
}

func TestClosingGivesPortsBack(t *testing.T) {
	dir := t.TempDir()
	r, err := NewReservation(dir)
	if err != nil {
		t.Fatal(err)
	}
	port := take(t, r)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	lock, err := reserve(dir, port)
	if err != nil {
		t.Fatalf("port %d is not free again: %v", port, err)
	}
	if err := lock.Close(); err != nil {
		t.Error(err)
	}
}
