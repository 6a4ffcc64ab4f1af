// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package devcluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/test/cluster/internal/toolset"
)

// VeleroNamespace is where Velero is installed.
const VeleroNamespace = "velero"

// defaultLocation is the name of Velero's default storage location.
const defaultLocation = "default"

// velero is a stock installation in all but that the server is a plain process.
func (c *Cluster) velero(ctx context.Context) (Program, error) {
	var metrics int
	if err := c.takePorts(&metrics); err != nil {
		return Program{}, err
	}
	objects, err := c.veleroClient()
	if err != nil {
		return Program{}, err
	}
	if err := c.installVelero(ctx, objects); err != nil {
		return Program{}, err
	}
	kubeconfig, err := c.ServiceAccountKubeconfig(ctx, VeleroNamespace, "velero")
	if err != nil {
		return Program{}, err
	}
	plugins, err := c.pluginFolder()
	if err != nil {
		return Program{}, err
	}
	return Program{
		Port:  metrics,
		Grace: 5 * time.Second,
		Env: []string{
			"AWS_SHARED_CREDENTIALS_FILE=" + c.path("velero", "credentials"),
			"VELERO_NAMESPACE=" + VeleroNamespace, "VELERO_SCRATCH_DIR=" + c.path("tmp"),
		},
		Args: []string{
			"server", // first: plugins are started with what follows it
			"--kubeconfig=" + kubeconfig, "--namespace=" + VeleroNamespace, "--plugin-dir=" + plugins,
			fmt.Sprintf("--metrics-address=127.0.0.1:%d", metrics), "--profiler-address=",
			// An outage of the storage shows, and ends, within seconds. All else is as Velero ships.
			"--store-validation-frequency=5s",
		},
		Ready: func(ctx context.Context) error { return c.locationAvailable(ctx, objects) },
	}, nil
}

func (c *Cluster) veleroClient() (client.Client, error) {
	scheme := runtime.NewScheme()
	if err := velerov1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	return client.New(c.admin, client.Options{Scheme: scheme})
}

// pluginFolder returns a folder with nothing but Velero's plugins: it takes every executable for one.
func (c *Cluster) pluginFolder() (string, error) {
	folder := c.path("velero", "plugins")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	link := filepath.Join(folder, toolset.VeleroPluginForAWS)
	return folder, os.Symlink(c.bins[toolset.VeleroPluginForAWS], link)
}

// locationAvailable checks that this very run of Velero has found its storage location in order.
func (c *Cluster) locationAvailable(ctx context.Context, objects client.Client) error {
	var location velerov1.BackupStorageLocation
	if err := objects.Get(ctx, client.ObjectKey{Namespace: VeleroNamespace, Name: defaultLocation}, &location); err != nil {
		return err
	}
	status := location.Status
	if status.Phase != velerov1.BackupStorageLocationPhaseAvailable {
		return fmt.Errorf("storage location %s is %q: %s", defaultLocation, status.Phase, status.Message)
	}
	// The time of validation has whole seconds only.
	if started := c.startTime(Velero).Truncate(time.Second); status.LastValidationTime.Time.Before(started) {
		return fmt.Errorf("storage location %s was last validated by an earlier run", defaultLocation)
	}
	return nil
}
