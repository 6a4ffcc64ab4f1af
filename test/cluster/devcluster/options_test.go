// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package devcluster

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOptionsComplete(t *testing.T) {
	t.Setenv("BACKSTAY_CACHE", "/cache")
	tests := map[string]struct {
		options Options
		folder  string
		wrong   string
	}{
		"nothing said":             {Options{}, "/cache/clusters/backstay", ""},
		"a name":                   {Options{Name: "demo-2"}, "/cache/clusters/demo-2", ""},
		"a folder":                 {Options{Name: "demo", Folder: "/elsewhere/x"}, "/elsewhere/x", ""},
		"no storage, no Velero":    {Options{Without: []string{ObjectStorage, Velero}}, "/cache/clusters/backstay", ""},
		"a path as a name":         {Options{Name: "../demo"}, "", "must be at most 32 lower-case letters"},
		"too long a name":          {Options{Name: strings.Repeat("a", 33)}, "", "must be at most 32 lower-case letters"},
		"too long a folder":        {Options{Folder: "/" + strings.Repeat("x", maxFolder)}, "", "too many for sockets"},
		"only a storage":           {Options{Without: slices.Delete(slices.Clone(servers), 5, 6)}, "/cache/clusters/backstay", ""},
		"without the API server":   {Options{Without: []string{APIServer}}, "", "kube-controller-manager needs kube-apiserver"},
		"without what is unknown":  {Options{Without: []string{"kubelet"}}, "", "cannot leave out \"kubelet\""},
		"Velero without a storage": {Options{Without: []string{ObjectStorage}}, "", "velero needs versitygw"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o, err := test.options.complete()
			if test.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), test.wrong) {
					t.Errorf("error %v, want one with %q", err, test.wrong)
				}
				return
			}
			if err != nil || o.Folder != filepath.FromSlash(test.folder) {
				t.Errorf("folder %q, error %v; want %q", o.Folder, err, test.folder)
			}
		})
	}
}

func TestOptionsBuildOnlyWhatTheyRun(t *testing.T) {
	tests := map[string]struct {
		without []string
		want    []string
	}{
		"everything": {nil, []string{
			"kubectl", "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", "versitygw", "velero",
			"kwok-stages", "velero-plugin-for-aws",
		}},
		"a bare storage":    {slices.Delete(slices.Clone(servers), 5, 6), []string{"versitygw"}},
		"a bare API server": {servers[2:], []string{"kubectl", "etcd", "kube-apiserver"}},
		"without Velero": {[]string{Velero, ObjectStorage}, []string{
			"kubectl", "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", "kwok-stages",
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, Options{Without: test.without}.tools()); diff != "" {
				t.Errorf("tools (-want +got):\n%s", diff)
			}
		})
	}
}
