// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/cluster/devcluster"
)

// overlay installs what config/default does, for an operator that is a process.
const overlay = "config/devcluster"

// installation is a development cluster with Backstay installed, as a reader of docs/install.md would.
type installation struct {
	cluster *devcluster.Cluster
	admin   client.Client // reads from the API server
	*chronicle

	operatorBinary string
	started        bool // the operator was, once
	stop           context.CancelFunc
}

// install starts a cluster, installs Backstay and starts the operator. If it fails, nothing is left.
func install(ctx context.Context, name string) (_ *installation, err error) {
	i := &installation{}
	if i.operatorBinary, err = buildOperator(ctx); err != nil {
		return nil, err
	}
	if i.cluster, err = devcluster.Start(ctx, devcluster.Options{Name: name, Output: os.Stderr}); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			i.remove(true)
		}
	}()
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	i.stop = stop
	if i.admin, err = client.New(i.cluster.RESTConfig(), client.Options{Scheme: scheme()}); err != nil {
		return nil, err
	}
	if err := i.apply(ctx); err != nil {
		return nil, err
	}
	if i.chronicle, err = newChronicle(watching, i.cluster.RESTConfig()); err != nil {
		return nil, err
	}
	return i, i.startOperator(ctx, operatorName)
}

// apply installs the kinds, roles and policies.
func (i *installation) apply(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, i.cluster.Bin(devcluster.Kubectl), "apply", "--server-side", "-k", overlay)
	cmd.Dir = root()
	cmd.Env = append(os.Environ(), "KUBECONFIG="+i.cluster.Kubeconfig())
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("install Backstay: %w\n%s", err, out)
	}
	return nil
}

// remove stops everything, and leaves nothing but what helps to find out why a test failed.
func (i *installation) remove(everything bool) {
	if i.stop != nil {
		i.stop()
	}
	folder := i.cluster.Folder()
	// Before the API server goes, without which it could not end well.
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := i.cluster.StopProgram(ctx, operatorName); err != nil && i.started {
		fmt.Fprintln(os.Stderr, "e2e:", err)
	}
	i.cluster.Down()
	if !everything {
		fmt.Fprintln(os.Stderr, "e2e: the logs are in", filepath.Join(folder, "logs"))
		return
	}
	if err := os.RemoveAll(folder); err != nil && !errors.Is(err, os.ErrNotExist) {
		fmt.Fprintln(os.Stderr, "e2e:", err)
	}
}

// root is the checkout.
func root() string {
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		panic(err) // only where the working directory is gone
	}
	return dir
}

func scheme() *runtime.Scheme {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme, velerov1.AddToScheme} {
		if err := add(s); err != nil {
			panic(err) // two kinds of one name
		}
	}
	return s
}
