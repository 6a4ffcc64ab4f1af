// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/test/integration/harness"
)

// freeAddress is a loopback address that nobody listens on just now.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// build builds the program that ships.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "backstay")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./cmd/backstay")
	cmd.Dir = harness.Path()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// Only here: the program that ships, its flags, its lease, its probes, and who may read its metrics.
func TestProgramAnswersProbesAndEndsGracefully(t *testing.T) {
	t.Parallel()
	on, first := newStage(t)
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	cfg, err := on.Operator(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	probes, metrics := freeAddress(t), freeAddress(t)
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), build(t), "--leader-elect",
		"--kubeconfig="+harness.Kubeconfig(t, cfg, ""), "--health-probe-bind-address="+probes, "--metrics-bind-address="+metrics)
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stderr = log
	told := func(text string) string {
		raw, err := os.ReadFile(log.Name())
		return fmt.Sprintf("%s\n%s\n%v", text, raw, err)
	}
	cmd.Env = []string{"HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH")}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	s := emptyShopOn(t, on)
	for _, url := range []string{"http://" + probes + "/healthz", "http://" + probes + "/readyz"} {
		s.await(url, patience, func() (bool, any) { text := fetch(t, url, ""); return text == "200 OK", told(text) })
	}
	s.metricsAskWho("https://" + metrics + "/metrics")
	s.create(s.deployment("web", "1"))
	s.create(s.plan("shop"))
	s.awaitSettled("shop")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Error(told(err.Error()))
		}
	case <-time.After(patience):
		_ = cmd.Process.Kill()
		t.Fatal("it does not end")
	}
}

// metricsAskWho fails the test unless the metrics, which name the plans of every namespace, are for those alone who may
// get them.
func (s *shop) metricsAskWho(url string) {
	s.Helper()
	prometheus := s.stage.Pipeline(s.T, "prometheus", s.namespace)
	binding := &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "prometheus"}}
	binding.RoleRef = rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "backstay-metrics-reader"}
	binding.Subjects = []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: s.namespace, Name: "prometheus"}}
	s.create(binding)
	s.await("prometheus may get the metrics", patience, func() (bool, any) {
		review := &authorizationv1.SubjectAccessReview{}
		review.Spec.User = "system:serviceaccount:" + s.namespace + ":prometheus"
		review.Spec.NonResourceAttributes = &authorizationv1.NonResourceAttributes{Path: "/metrics", Verb: "get"}
		s.create(review)
		return review.Status.Allowed, review
	})
	s.await("an answer for nobody", patience, func() (bool, any) { got := fetch(s.T, url, ""); return got == "401 Unauthorized", got })
	for _, who := range []struct {
		name, token string
		reads       bool
	}{
		{"somebody with a token of their own making", "forged", false},
		{"a tenant", s.stage.Pipeline(s.T, "tenant", s.namespace).BearerToken, false},
		{"prometheus", prometheus.BearerToken, true},
	} {
		if got := fetch(s.T, url, who.token); (got == "200 OK") != who.reads {
			s.Errorf("metrics for %s: %s", who.name, got)
		}
	}
}

// fetch is the status of an answer, or why there is none. A certificate that the program made for itself will do.
func fetch(t *testing.T, url, token string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	return fmt.Sprintf("%d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
}
