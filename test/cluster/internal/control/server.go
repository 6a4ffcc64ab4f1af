// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// StartRequest asks for a program to be started: again, or, with a path, for the first time.
type StartRequest struct {
	Name     string   `json:"name"`
	Path     string   `json:"path,omitempty"`
	Args     []string `json:"args,omitempty"`
	Env      []string `json:"env,omitempty"`
	ReadyURL string   `json:"readyURL,omitempty"`
}

type nameRequest struct {
	Name string `json:"name"`
}

type identityRequest struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

type fileAnswer struct {
	File string `json:"file"`
}

type portAnswer struct {
	Port int `json:"port"`
}

type errorAnswer struct {
	Error string `json:"error"`
}

// Supervisor is what the socket gives access to.
type Supervisor interface {
	Status() Status
	ControlStart(context.Context, StartRequest) error
	StopProgram(ctx context.Context, name string) error
	ServiceAccountKubeconfig(ctx context.Context, namespace, name string) (string, error)
	ReservePort() (int, error)
	RequestDown()
}

// Listen opens the control socket of a cluster's folder. A socket that a killed supervisor left there is
// replaced, so lock the folder first.
func Listen(folder string) (net.Listener, error) {
	if err := os.Remove(socketPath(folder)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	listener, err := net.Listen("unix", socketPath(folder))
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	if err := os.Chmod(socketPath(folder), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("control socket: %w", err), listener.Close())
	}
	return listener, nil
}

func socketPath(folder string) string { return filepath.Join(folder, "control.sock") }

// NewServer returns the server of the control socket.
func NewServer(s Supervisor) *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { answer(w, s.Status(), nil) })
	mux.HandleFunc("POST /start", func(w http.ResponseWriter, r *http.Request) {
		handle(w, r, func(q StartRequest) (any, error) { return struct{}{}, s.ControlStart(r.Context(), q) })
	})
	mux.HandleFunc("POST /stop", func(w http.ResponseWriter, r *http.Request) {
		handle(w, r, func(q nameRequest) (any, error) { return struct{}{}, s.StopProgram(r.Context(), q.Name) })
	})
	mux.HandleFunc("POST /identity", func(w http.ResponseWriter, r *http.Request) {
		handle(w, r, func(q identityRequest) (any, error) {
			file, err := s.ServiceAccountKubeconfig(r.Context(), q.Namespace, q.Name)
			return fileAnswer{File: file}, err
		})
	})
	mux.HandleFunc("POST /port", func(w http.ResponseWriter, _ *http.Request) {
		port, err := s.ReservePort()
		answer(w, portAnswer{Port: port}, err)
	})
	mux.HandleFunc("POST /down", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, struct{}{}, nil)
		s.RequestDown()
	})
	return &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
}

func handle[Q any](w http.ResponseWriter, r *http.Request, act func(Q) (any, error)) {
	var request Q
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		answer(w, nil, fmt.Errorf("unreadable request: %w", err))
		return
	}
	value, err := act(request)
	answer(w, value, err)
}

func answer(w http.ResponseWriter, value any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		w.WriteHeader(http.StatusConflict)
		value = errorAnswer{Error: err.Error()}
	}
	// A client that has gone away needs no answer.
	_ = json.NewEncoder(w).Encode(value)
}
