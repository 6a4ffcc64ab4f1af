// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package pki

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"testing"
)

func parse(t *testing.T, pair Pair) *x509.Certificate {
	t.Helper()
	both, err := tls.X509KeyPair(pair.Certificate, pair.Key)
	if err != nil {
		t.Fatalf("certificate and key do not fit: %v", err)
	}
	return both.Leaf
}

func TestCertificatesServeTheirPurpose(t *testing.T) {
	authority, err := NewAuthority("test")
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := NewAuthority("test")
	if err != nil {
		t.Fatal(err)
	}
	server, err := authority.Server("kubernetes.default.svc")
	if err != nil {
		t.Fatal(err)
	}
	client, err := authority.Client("alice", "system:masters")
	if err != nil {
		t.Fatal(err)
	}
	if subject := parse(t, client).Subject; subject.CommonName != "alice" || len(subject.Organization) != 1 || subject.Organization[0] != "system:masters" {
		t.Errorf("client is %v", subject)
	}
	tests := map[string]struct {
		pair    Pair
		by      *Authority
		name    string
		usage   x509.ExtKeyUsage
		trusted bool
	}{
		"server by address":         {server, authority, "127.0.0.1", x509.ExtKeyUsageServerAuth, true},
		"server by service name":    {server, authority, "kubernetes.default.svc", x509.ExtKeyUsageServerAuth, true},
		"server by another name":    {server, authority, "example.com", x509.ExtKeyUsageServerAuth, false},
		"client":                    {client, authority, "", x509.ExtKeyUsageClientAuth, true},
		"client as a server":        {client, authority, "", x509.ExtKeyUsageServerAuth, false},
		"server as a client":        {server, authority, "", x509.ExtKeyUsageClientAuth, false},
		"client of another cluster": {client, stranger, "", x509.ExtKeyUsageClientAuth, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			roots := x509.NewCertPool()
			roots.AppendCertsFromPEM(test.by.Certificate)
			_, err := parse(t, test.pair).Verify(x509.VerifyOptions{Roots: roots, DNSName: test.name, KeyUsages: []x509.ExtKeyUsage{test.usage}})
			if trusted := err == nil; trusted != test.trusted {
				t.Errorf("trusted: %v (%v), want %v", trusted, err, test.trusted)
			}
		})
	}
}

func TestSigningKeyIsAPair(t *testing.T) {
	public, private, err := NewSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	privateBlock, _ := pem.Decode(private)
	publicBlock, _ := pem.Decode(public)
	key, err := x509.ParseECPrivateKey(privateBlock.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	other, err := x509.ParsePKIXPublicKey(publicBlock.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if !key.PublicKey.Equal(other) {
		t.Error("the public key is not that of the private one")
	}
}
