// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package harness gives the integration tests a real kube-apiserver on a real etcd, with RBAC and ServiceAccount
// admission on, real identities for users and for the operator, and a real kubectl.
//
// A package of tests has one control plane, started by Main from its TestMain. Each test takes a fresh namespace of it.
// A test that restarts the API server, or takes policies or CRDs away, starts a control plane of its own.
package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// envAssets is the variable by which envtest finds etcd, kube-apiserver and kubectl.
const envAssets = "KUBEBUILDER_ASSETS"

const (
	startTimeout = time.Minute
	// An API server does not leave on SIGTERM while somebody watches. It is killed then.
	stopTimeout = 3 * time.Second
)

// ControlPlane is an API server on an etcd, both gone after Stop.
type ControlPlane struct {
	// Admin is in system:masters.
	Admin *rest.Config

	// Client acts as Admin.
	Client client.Client

	env *envtest.Environment

	// certDir and binDir are folders of its own.
	certDir, binDir string
}

// WithoutMutatingPolicies are the flags of an API server that answers as one of before Kubernetes 1.36 does.
func WithoutMutatingPolicies() map[string]string {
	const api = "admissionregistration.k8s.io/v1/"
	return map[string]string{
		"runtime-config":            api + "mutatingadmissionpolicies=false," + api + "mutatingadmissionpolicybindings=false",
		"disable-admission-plugins": "MutatingAdmissionPolicy",
	}
}

// Options of a control plane.
type Options struct {
	// WithoutCRDs leaves the CRDs of config/crd out.
	WithoutCRDs bool

	// APIServerFlags are further flags of the API server, without their dashes.
	APIServerFlags map[string]string
}

// Runner is a testing.M, or something around it.
type Runner interface{ Run() int }

// Main runs the tests of a package on one control plane, for TestMain.
func Main(m Runner, set func(*ControlPlane), prepare ...func(*ControlPlane) error) int {
	cp, err := Start(Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer cp.Stop()
	for _, step := range prepare {
		if err := step(cp); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	set(cp)
	return m.Run()
}

// StartForTest starts a control plane that ends with the test.
func StartForTest(t *testing.T, options Options) *ControlPlane {
	t.Helper()
	cp, err := Start(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cp.Stop)
	return cp
}

// Start starts a control plane.
func Start(options Options) (*ControlPlane, error) {
	if os.Getenv(envAssets) == "" {
		return nil, errors.New(envAssets + " is not set: run the integration tests by `make test-integration`")
	}
	certDir, err := os.MkdirTemp("", "backstay-apiserver-")
	if err != nil {
		return nil, err
	}
	binDir, err := leash()
	if err != nil {
		return nil, err
	}
	env := &envtest.Environment{
		ControlPlaneStartTimeout: startTimeout,
		ControlPlaneStopTimeout:  stopTimeout,
		ErrorIfCRDPathMissing:    true,
	}
	if !options.WithoutCRDs {
		env.CRDDirectoryPaths = []string{Path("config", "crd", "bases")}
	}
	apiServer := env.ControlPlane.GetAPIServer()
	apiServer.CertDir = certDir
	apiServer.Path = filepath.Join(binDir, "kube-apiserver")
	env.ControlPlane.Etcd = &envtest.Etcd{Path: filepath.Join(binDir, "etcd")}
	// envtest turns ServiceAccount admission off unless it is told otherwise.
	apiServer.Configure().Disable("disable-admission-plugins").Set("profiling", "false")
	for flag, value := range options.APIServerFlags {
		apiServer.Configure().Set(flag, value)
	}
	cp := &ControlPlane{env: env, certDir: certDir, binDir: binDir}
	if cp.Admin, err = env.Start(); err != nil {
		cp.Stop()
		return nil, fmt.Errorf("start the control plane: %w", err)
	}
	cp.Admin.QPS = -1
	if cp.Client, err = client.New(cp.Admin, client.Options{Scheme: Scheme}); err != nil {
		cp.Stop()
		return nil, err
	}
	return cp, nil
}

// Stop ends the control plane and removes its data. An API server that had to be killed is no error here.
func (cp *ControlPlane) Stop() {
	_ = cp.env.Stop()
	_ = os.RemoveAll(cp.certDir)
	if cp.binDir != os.Getenv(envAssets) {
		_ = os.RemoveAll(cp.binDir)
	}
}

// RestartAPIServer stops the API server and starts it again on the same etcd, port and certificates: every identity
// and kubeconfig stays valid.
func (cp *ControlPlane) RestartAPIServer(t *testing.T) {
	t.Helper()
	_ = cp.env.ControlPlane.APIServer.Stop()
	if err := cp.env.ControlPlane.APIServer.Start(); err != nil {
		t.Fatalf("restart the API server: %v", err)
	}
}

// InstallCRDs installs the CRDs of config/crd and waits until they are served.
func (cp *ControlPlane) InstallCRDs() error {
	_, err := envtest.InstallCRDs(cp.Admin, envtest.CRDInstallOptions{
		Scheme: Scheme, Paths: []string{Path("config", "crd", "bases")}, ErrorIfPathMissing: true,
	})
	return err
}

// Path is a path in the repository.
func Path(elements ...string) string {
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(append([]string{dir}, elements...)...)
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			panic("the tests do not run inside the repository")
		}
		dir = parent
	}
}

// Eventually polls until the condition holds, and fails the test with what the condition last said.
func Eventually(t *testing.T, what string, within time.Duration, condition func(context.Context) error) {
	t.Helper()
	if err := poll(t.Context(), within, condition); err != nil {
		t.Fatalf("%s: not within %s: %v", what, within, err)
	}
}

func poll(ctx context.Context, within time.Duration, condition func(context.Context) error) error {
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for {
		err := condition(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
