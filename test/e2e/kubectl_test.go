// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/backstay-dr/backstay/test/cluster/devcluster"
)

// kubectl is the real one, as one user, in one namespace.
type kubectl struct {
	t                     *testing.T
	path, kubeconfig, dir string
	namespace             string
	env                   []string
}

// as returns kubectl as the owner of a kubeconfig.
func (i *installation) as(t *testing.T, kubeconfig, namespace string) *kubectl {
	return &kubectl{
		t: t, path: i.cluster.Bin(devcluster.Kubectl), kubeconfig: kubeconfig, dir: root(), namespace: namespace,
		// One home for all, so that what the API server serves is asked for once.
		env: []string{"KUBECONFIG=" + kubeconfig, "HOME=" + i.cluster.Folder(), "PATH=" + os.Getenv("PATH")},
	}
}

// in is the same user in another namespace.
func (k *kubectl) in(namespace string) *kubectl {
	other := *k
	other.namespace = namespace
	return &other
}

// run runs kubectl, which must succeed, and returns what it printed.
func (k *kubectl) run(args ...string) string {
	k.t.Helper()
	return k.feed("", args...)
}

// feed is run with standard input.
func (k *kubectl) feed(stdin string, args ...string) string {
	k.t.Helper()
	out, err := k.try(stdin, args...)
	if err != nil {
		k.t.Fatalf("kubectl %s: %v\n%s\n%s", strings.Join(args, " "), err, out, stdin)
	}
	return out
}

// refused runs kubectl, which must fail, and says all of the texts.
func (k *kubectl) refused(texts []string, stdin string, args ...string) {
	k.t.Helper()
	out, err := k.try(stdin, args...)
	if err == nil {
		k.t.Errorf("kubectl %s: succeeded\n%s", strings.Join(args, " "), out)
		return
	}
	for _, text := range texts {
		if !strings.Contains(out, text) {
			k.t.Errorf("kubectl %s: says nothing of %q:\n%s", strings.Join(args, " "), text, out)
		}
	}
}

// try runs kubectl and returns all that it printed, to either stream.
func (k *kubectl) try(stdin string, args ...string) (string, error) {
	cmd := exec.CommandContext(k.t.Context(), k.path, append([]string{"--namespace=" + k.namespace}, args...)...)
	cmd.Dir, cmd.Env = k.dir, k.env
	cmd.Stdin = strings.NewReader(stdin)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}
