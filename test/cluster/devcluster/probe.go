// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package devcluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"strconv"

	"github.com/backstay-dr/backstay/test/cluster/internal/pki"
)

// newProbe returns the client for health checks.
func newProbe(authority *pki.Authority) *http.Client {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority.Certificate)
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		// A connection that was left open must not be what answers for a program that has been restarted.
		DisableKeepAlives: true,
	}}
}

// answers returns a check that a URL answers with status 200.
func (c *Cluster) answers(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		reply, err := c.probe.Do(request)
		if err != nil {
			return err
		}
		defer reply.Body.Close()
		if reply.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answers %s", url, reply.Status)
		}
		return nil
	}
}

func loopback(scheme string, port int) string {
	return scheme + "://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}
