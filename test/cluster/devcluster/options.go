// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package devcluster runs a whole development cluster as plain processes: a Kubernetes control plane,
// simulated nodes, S3 storage and Velero. Tests and the command in test/cluster use it alike.
package devcluster

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/backstay-dr/backstay/test/cluster/internal/control"
	"github.com/backstay-dr/backstay/test/cluster/internal/toolset"
)

// The programs of a cluster.
const (
	Etcd              = toolset.Etcd
	APIServer         = toolset.KubeAPIServer
	ControllerManager = toolset.KubeControllerManager
	Scheduler         = toolset.KubeScheduler
	Kubectl           = toolset.Kubectl // not a server: see Cluster.Bin
	Kwok              = toolset.Kwok
	ObjectStorage     = toolset.VersityGW
	Velero            = toolset.Velero
)

// DefaultName is the name of a cluster that is not given one.
const DefaultName = "backstay"

// maxFolder keeps the sockets in the folder (the supervisor's, and those of Velero's plugins in tmp/) under
// the 104 bytes that macOS allows for a socket's path.
const maxFolder = 80

// Options describe a cluster. The zero value is the whole cluster under the default name.
type Options struct {
	Name    string              // clusters of different names run side by side
	Folder  string              // where it keeps everything; default: clusters/<name> in the cache folder
	Without []string            // programs to leave out
	Nodes   int                 // simulated nodes; default 2
	BinDir  string              // folder of release binaries to use instead of building; default: BACKSTAY_BIN_DIR
	Args    map[string][]string // more arguments by program
	Output  io.Writer           // progress; default: none
}

var validName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?$`)

// complete returns the options with defaults filled in, or says what is wrong with them.
func (o Options) complete() (Options, error) {
	if o.Name == "" {
		o.Name = DefaultName
	}
	if o.Nodes == 0 {
		o.Nodes = 2
	}
	if o.Output == nil {
		o.Output = io.Discard
	}
	if err := o.checkWithout(); err != nil {
		return o, err
	}
	var err error
	o.Folder, err = Folder(o.Name, o.Folder)
	return o, err
}

// servers are the programs that run.
var servers = []string{Etcd, APIServer, ControllerManager, Scheduler, Kwok, ObjectStorage, Velero}

// needs tells which programs must be ready before another starts.
var needs = map[string][]string{
	APIServer:         {Etcd},
	ControllerManager: {APIServer},
	Scheduler:         {APIServer},
	Kwok:              {APIServer},
	Velero:            {APIServer, ObjectStorage},
}

func (o Options) checkWithout() error {
	for _, program := range o.Without {
		if !slices.Contains(servers, program) {
			return fmt.Errorf("cannot leave out %q: must be one of %s", program, strings.Join(servers, ", "))
		}
	}
	for _, program := range servers {
		for _, need := range needs[program] {
			if o.runs(program) && !o.runs(need) {
				return fmt.Errorf("%s needs %s: leave out both or none", program, need)
			}
		}
	}
	return nil
}

// Folder returns where the cluster of a name keeps its files, unless it was given a folder.
func Folder(name, folder string) (string, error) {
	if !validName.MatchString(name) {
		return "", fmt.Errorf("cluster name %q must be at most 32 lower-case letters, digits and dashes", name)
	}
	if folder == "" {
		cache, err := toolset.CacheDir()
		if err != nil {
			return "", err
		}
		folder = filepath.Join(cache, "clusters", name)
	}
	folder, err := filepath.Abs(folder)
	if err != nil {
		return "", err
	}
	if len(folder) > maxFolder {
		return "", fmt.Errorf("folder %s has more than %d characters, too many for sockets in it: choose another", folder, maxFolder)
	}
	return folder, nil
}

// Running reports whether a cluster runs that keeps its files in a folder.
func Running(folder string) bool { return control.Running(folder) }

func (o Options) runs(program string) bool { return !slices.Contains(o.Without, program) }

// tools lists what has to be built for these options.
func (o Options) tools() []string {
	var tools []string
	if o.runs(APIServer) {
		tools = append(tools, Kubectl)
	}
	for _, program := range servers {
		if o.runs(program) {
			tools = append(tools, program)
		}
	}
	if o.runs(Kwok) {
		tools = append(tools, toolset.KwokStages)
	}
	if o.runs(Velero) {
		tools = append(tools, toolset.VeleroPluginForAWS)
	}
	return tools
}

// Build builds whatever these options need, so that Start does not have to.
func Build(ctx context.Context, o Options) error {
	o, err := o.complete()
	if err != nil {
		return err
	}
	_, err = o.build(ctx)
	return err
}

func (o Options) build(ctx context.Context) (map[string]string, error) {
	builder, err := toolset.NewBuilder(o.BinDir, o.Output)
	if err != nil {
		return nil, err
	}
	return builder.Ensure(ctx, o.tools()...)
}

// Assets builds only etcd, kube-apiserver and kubectl, and returns the folder that holds them, as
// KUBEBUILDER_ASSETS wants it.
func Assets(ctx context.Context, output io.Writer) (string, error) {
	builder, err := toolset.NewBuilder("", output)
	if err != nil {
		return "", err
	}
	return builder.Assets(ctx)
}
