// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Kubectl is the real kubectl, as one user, in one namespace.
type Kubectl struct {
	t          *testing.T
	kubeconfig string
	home       string
}

// Result is what a person would have seen.
type Result struct {
	Stdout, Stderr string
	// Code is the exit code.
	Code int
}

// Kubectl prepares kubectl for a user, with the namespace as the default one of the kubeconfig.
func (cp *ControlPlane) Kubectl(t *testing.T, user *rest.Config, namespace string) *Kubectl {
	t.Helper()
	return &Kubectl{t: t, kubeconfig: Kubeconfig(t, user, namespace), home: t.TempDir()}
}

// Kubeconfig writes a kubeconfig for a user, with the namespace as its default one.
func Kubeconfig(t *testing.T, user *rest.Config, namespace string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(kubeconfigFor(user, namespace), path); err != nil {
		t.Fatal(err)
	}
	return path
}

func kubeconfigFor(user *rest.Config, namespace string) clientcmdapi.Config {
	const name = "test"
	config := clientcmdapi.NewConfig()
	config.Clusters[name] = &clientcmdapi.Cluster{Server: user.Host, CertificateAuthorityData: user.CAData}
	config.AuthInfos[name] = &clientcmdapi.AuthInfo{
		ClientCertificateData: user.CertData, ClientKeyData: user.KeyData, Token: user.BearerToken,
	}
	config.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name, Namespace: namespace}
	config.CurrentContext = name
	return *config
}

// Try runs kubectl with the standard input, and returns what it did, failed or not.
func (k *Kubectl) Try(stdin string, args ...string) Result {
	k.t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(k.t.Context()), filepath.Join(os.Getenv(envAssets), "kubectl"), args...)
	// Nothing of the person's own configuration, and one discovery cache per test.
	cmd.Env = []string{"KUBECONFIG=" + k.kubeconfig, "HOME=" + k.home, "PATH=" + os.Getenv("PATH")}
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	result := Result{Stdout: stdout.String(), Stderr: stderr.String()}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		result.Code = exit.ExitCode()
	} else if err != nil {
		k.t.Fatal(err)
	}
	return result
}

// Run runs kubectl and fails the test where it fails.
func (k *Kubectl) Run(args ...string) Result {
	k.t.Helper()
	return k.RunWith("", args...)
}

// RunWith is Run with a standard input, for -f -.
func (k *Kubectl) RunWith(stdin string, args ...string) Result {
	k.t.Helper()
	result := k.Try(stdin, args...)
	if result.Code != 0 {
		k.t.Fatalf("kubectl %s: exit code %d\n%s%s", strings.Join(args, " "), result.Code, result.Stdout, result.Stderr)
	}
	return result
}
