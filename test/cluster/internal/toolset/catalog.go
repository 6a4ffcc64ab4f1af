// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package toolset builds the programs of the development cluster from their pinned Go modules and keeps
// them in a cache.
package toolset

import (
	"fmt"
	"slices"
	"strings"
)

// The programs and files that can be had.
const (
	KubeAPIServer         = "kube-apiserver"
	KubeControllerManager = "kube-controller-manager"
	KubeScheduler         = "kube-scheduler"
	Kubectl               = "kubectl"
	Etcd                  = "etcd"
	Velero                = "velero"
	VeleroPluginForAWS    = "velero-plugin-for-aws"
	VersityGW             = "versitygw"
	Kwok                  = "kwok"
	KwokStages            = "kwok-stages" // a folder: how kwok plays kubelet
)

// Assets are what tests on a bare API server need (KUBEBUILDER_ASSETS).
var Assets = []string{KubeAPIServer, Kubectl, Etcd}

// tool is one program, or one folder of files, that a module below hack/tools provides.
type tool struct {
	name    string
	module  string   // folder below hack/tools
	pkg     string   // package to build; empty if the tool is files
	files   []string // patterns of files to copy from the source module
	source  string   // module path whose pinned version is stamped into the program, or provides the files
	version []string // linker variables that get the source's version
}

// catalog is in the order in which builds begin: the longest first, so that both builders stay busy.
var catalog = []tool{
	kubernetes(KubeAPIServer),
	kubernetes(Kubectl),
	{name: Velero, module: "velero", pkg: "github.com/vmware-tanzu/velero/cmd/velero",
		source: "github.com/vmware-tanzu/velero", version: []string{"github.com/vmware-tanzu/velero/pkg/buildinfo.Version"}},
	{name: VeleroPluginForAWS, module: "velero-plugin-for-aws",
		pkg: "github.com/vmware-tanzu/velero-plugin-for-aws/velero-plugin-for-aws"},
	kubernetes(KubeControllerManager),
	kubernetes(KubeScheduler),
	{name: Kwok, module: "kwok", pkg: "sigs.k8s.io/kwok/cmd/kwok"},
	{name: VersityGW, module: "versitygw", pkg: "github.com/versity/versitygw/cmd/versitygw"},
	{name: Etcd, module: "etcd", pkg: "go.etcd.io/etcd/server/v3"},
	{name: KwokStages, module: "kwok", source: "sigs.k8s.io/kwok", files: []string{
		"kustomize/stage/node/fast/node-*.yaml",
		"kustomize/stage/node/heartbeat-with-lease/node-*.yaml",
		"kustomize/stage/pod/fast/pod-*.yaml",
	}},
}

func kubernetes(program string) tool {
	return tool{name: program, module: "kubernetes", pkg: "k8s.io/kubernetes/cmd/" + program,
		source: "k8s.io/kubernetes", version: []string{"k8s.io/component-base/version.gitVersion"}}
}

// Names lists every program and folder of the catalog.
func Names() []string {
	names := make([]string, len(catalog))
	for i, t := range catalog {
		names[i] = t.name
	}
	return names
}

// Programs lists the catalog without the folders.
func Programs() []string {
	return slices.DeleteFunc(Names(), func(name string) bool { return name == KwokStages })
}

// lookup returns the tools of the given names in the catalog's order.
func lookup(names []string) ([]tool, error) {
	for _, name := range names {
		if !slices.Contains(Names(), name) {
			return nil, fmt.Errorf("unknown program %q: must be one of %s", name, strings.Join(Names(), ", "))
		}
	}
	var tools []tool
	for _, t := range catalog {
		if slices.Contains(names, t.name) {
			tools = append(tools, t)
		}
	}
	return tools, nil
}

// linkerFlags returns the flags that strip the program and stamp its version.
func (t tool) linkerFlags(version string) string {
	flags := []string{"-s", "-w"}
	for _, variable := range t.version {
		flags = append(flags, "-X "+variable+"="+version)
	}
	if t.module == "kubernetes" {
		// kubectl's version check parses these, not the full version.
		major, minor, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
		minor, _, _ = strings.Cut(minor, ".")
		flags = append(flags, "-X k8s.io/component-base/version.gitMajor="+major, "-X k8s.io/component-base/version.gitMinor="+minor)
	}
	if t.name == Velero {
		// Velero's manager opens controller-runtime's default metrics port beside Velero's own, and no flag of the
		// server moves it: two clusters on one machine would want the same one. "0" means none.
		flags = append(flags, "-X sigs.k8s.io/controller-runtime/pkg/metrics/server.DefaultBindAddress=0")
	}
	return strings.Join(flags, " ")
}
