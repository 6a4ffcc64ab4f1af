// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"time"
)

// Client talks to the supervisor of one cluster.
type Client struct {
	folder string
	http   *http.Client
}

// NewClient returns a client for the cluster in a folder. It connects with each call.
func NewClient(folder string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socketPath(folder))
	}
	return &Client{folder: folder, http: &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}
}

// Status returns what the supervisor says, or what it left behind.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var s Status
	if err := c.call(ctx, http.MethodGet, "/status", nil, &s); err == nil {
		return s, nil
	}
	return ReadStatus(c.folder)
}

// Start starts a program and returns when it is ready.
func (c *Client) Start(ctx context.Context, r StartRequest) error {
	return c.call(ctx, http.MethodPost, "/start", r, nil)
}

// Stop stops a program and returns when it is gone.
func (c *Client) Stop(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodPost, "/stop", nameRequest{Name: name}, nil)
}

// ServiceAccountKubeconfig returns the file of a kubeconfig for a service account.
func (c *Client) ServiceAccountKubeconfig(ctx context.Context, namespace, name string) (string, error) {
	var a fileAnswer
	err := c.call(ctx, http.MethodPost, "/identity", identityRequest{Namespace: namespace, Name: name}, &a)
	return a.File, err
}

// ReservePort returns a port that is free as long as the cluster lives.
func (c *Client) ReservePort(ctx context.Context) (int, error) {
	var a portAnswer
	err := c.call(ctx, http.MethodPost, "/port", nil, &a)
	return a.Port, err
}

// Down stops the cluster and returns when its supervisor is gone. There may be none in the first place.
func (c *Client) Down(ctx context.Context) error {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for asked := false; Running(c.folder); {
		// A supervisor that has only just begun does not listen yet: ask until it has heard.
		asked = asked || c.call(ctx, http.MethodPost, "/down", nil, nil) == nil
		select {
		case <-ctx.Done():
			return fmt.Errorf("cluster %s is still stopping: %w", filepath.Base(c.folder), ctx.Err())
		case <-ticker.C:
		}
	}
	return nil
}

func (c *Client) call(ctx context.Context, method, path string, request, response any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://supervisor"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	reply, err := c.http.Do(r)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("cluster %s is not running", filepath.Base(c.folder))
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		var failure errorAnswer
		if err := json.NewDecoder(reply.Body).Decode(&failure); err != nil || failure.Error == "" {
			return fmt.Errorf("the supervisor answered %s", reply.Status)
		}
		return errors.New(failure.Error)
	}
	if response == nil {
		return nil
	}
	return json.NewDecoder(reply.Body).Decode(response)
}
