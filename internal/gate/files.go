// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"bytes"
	"strings"
)

// Header is the first line of every generated manifest.
const Header = "# Generated from internal/gate by `make manifests`. Do not edit.\n"

// File is a manifest of config/gate.
type File struct {
	Name    string
	Content []byte
}

// Files are the manifests of config/gate: one per policy and its binding, and the kustomization that lists them.
func Files(id Identity) ([]File, error) {
	var out []File
	kustomization := bytes.NewBufferString(Header +
		"apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n")
	for _, pair := range pairs(Objects(id)) {
		content := bytes.NewBufferString(Header)
		if err := WriteYAML(content, pair...); err != nil {
			return nil, err
		}
		name := strings.TrimPrefix(pair[0].GetName(), "backstay-") + ".yaml"
		kustomization.WriteString("- " + name + "\n")
		out = append(out, File{Name: name, Content: content.Bytes()})
	}
	return append(out, File{Name: "kustomization.yaml", Content: kustomization.Bytes()}), nil
}

// pairs are the policies, each with its binding, which follows it and has its name.
func pairs(objects []Object) [][]Object {
	var out [][]Object
	for i := 0; i+1 < len(objects); i += 2 {
		out = append(out, objects[i:i+2])
	}
	return out
}
