// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// means is one way in which people and tools change the pod template of the Deployment "web". Each leaves it with
// another template: most with the image of the version, some with another setting under the version that runs.
type means struct {
	name   string
	change func(a *app, version string)
}

var allMeans = []means{
	{"set image", func(a *app, v string) { a.dev.run("set", "image", "deployment/web", "web="+image("web", v)) }},
	{"apply", func(a *app, v string) { a.dev.feed(manifest(deployment("web", v)), "apply", "-f", "-") }},
	{"apply server-side", func(a *app, v string) {
		a.dev.feed(manifest(deployment("web", v)), "apply", "--server-side", "--force-conflicts", "-f", "-")
	}},
	{"replace", func(a *app, v string) { a.dev.feed(manifest(deployment("web", v)), "replace", "-f", "-") }},
	{"strategic merge patch", func(a *app, v string) { a.patch("strategic", imagePatch(v)) }},
	{"merge patch", func(a *app, v string) { a.patch("merge", imagePatch(v)) }},
	{"JSON patch", func(a *app, v string) {
		a.patch("json", fmt.Sprintf(`[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":%q}]`, image("web", v)))
	}},
	{"edit", edit},
	{"template annotation, as Helm's checksum/config", func(a *app, v string) {
		a.patch("merge", fmt.Sprintf(`{"spec":{"template":{"metadata":{"annotations":{"checksum/config":%q}}}}}`, v))
	}},
	{"set env", func(a *app, v string) { a.dev.run("set", "env", "deployment/web", "SETTING="+v) }},
	{"set resources", func(a *app, _ string) { a.dev.run("set", "resources", "deployment/web", "--requests=cpu=10m") }},
	{"set serviceaccount", func(a *app, _ string) { a.dev.run("set", "serviceaccount", "deployment/web", "default") }},
	{"rollout undo", func(a *app, _ string) { a.dev.run("rollout", "undo", "deployment/web") }},
	{"labels and template in one apply", func(a *app, v string) {
		d := deployment("web", v)
		d.Labels["app.kubernetes.io/version"] = v
		d.Spec.Template.Labels["app.kubernetes.io/version"] = v
		a.dev.feed(manifest(d), "apply", "-f", "-")
	}},
	{"apply -k", applyKustomization},
	{"apply of several files", applyFolder},
	{"scale and image in one patch", func(a *app, v string) {
		a.patch("strategic", strings.Replace(imagePatch(v), `{"spec":{`, `{"spec":{"replicas":3,`, 1))
	}},
	{"unpause and image in one patch", func(a *app, v string) {
		a.patch("merge", strings.Replace(imagePatch(v), `{"spec":{`, `{"spec":{"paused":false,`, 1))
	}},
	{"three-way patch, as Helm", threeWayPatch},
	{"server-side apply of paused: false by another manager", func(a *app, v string) {
		text := strings.Replace(manifest(deployment("web", v)), "\nspec:\n", "\nspec:\n  paused: false\n", 1)
		a.dev.feed(text, "apply", "--server-side", "--force-conflicts", "--field-manager=gitops", "-f", "-")
	}},
	{"update by a client", update},
}

func imagePatch(version string) string {
	return fmt.Sprintf(`{"spec":{"template":{"spec":{"containers":[{"name":"web","image":%q}]}}}}`, image("web", version))
}

func (a *app) patch(kind, body string) {
	a.t.Helper()
	a.dev.run("patch", "deployment", "web", "--type", kind, "--patch", body)
}

// edit is kubectl edit, with a script for an editor.
func edit(a *app, version string) {
	a.t.Helper()
	script := filepath.Join(a.t.TempDir(), "editor")
	text := fmt.Sprintf("#!/bin/sh\nsed -i 's#image: .*#image: %s#' \"$1\"\n", image("web", version))
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
		a.t.Fatal(err)
	}
	editor := *a.dev
	editor.env = append(editor.env, "KUBE_EDITOR="+script)
	editor.run("edit", "deployment/web")
}

func applyKustomization(a *app, version string) {
	a.t.Helper()
	dir := a.write(map[string]string{
		"web.yaml": manifest(deployment("web", "base")),
		"kustomization.yaml": fmt.Sprintf("resources: [web.yaml]\nimages:\n- name: %s\n  newTag: %q\n",
			strings.TrimSuffix(image("web", ""), ":"), version),
	})
	a.dev.run("apply", "-k", dir)
}

func applyFolder(a *app, version string) {
	a.t.Helper()
	dir := a.write(map[string]string{
		"config.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {version: \"" + version + "\"}\n",
		"plan.yaml":   plan(""),
		"web.yaml":    manifest(deployment("web", version)),
	})
	a.dev.run("apply", "-f", dir)
}

func (a *app) write(files map[string]string) string {
	a.t.Helper()
	dir := a.t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	return dir
}

// threeWayPatch sends what Helm 3 would: the difference between the last manifest, the new one and what is there.
func threeWayPatch(a *app, version string) {
	a.t.Helper()
	current := live(a, &appsv1.Deployment{}, "web")
	next := deployment("web", version)
	documents := make([][]byte, 3)
	for n, obj := range []*appsv1.Deployment{deployment("web", firstVersion), next, current} {
		raw, err := json.Marshal(obj)
		if err != nil {
			a.t.Fatal(err)
		}
		documents[n] = raw
	}
	schema, err := strategicpatch.NewPatchMetaFromStruct(appsv1.Deployment{})
	if err != nil {
		a.t.Fatal(err)
	}
	body, err := strategicpatch.CreateThreeWayMergePatch(documents[0], documents[1], documents[2], schema, true)
	if err != nil {
		a.t.Fatal(err)
	}
	current.ResourceVersion = ""
	if err := a.devClient().Patch(a.t.Context(), current, client.RawPatch(types.StrategicMergePatchType, body)); err != nil {
		a.t.Fatal(err)
	}
}

// update reads, changes and writes the whole object, and does so again where somebody was faster, as many programs do.
func update(a *app, version string) {
	a.t.Helper()
	dev := a.devClient()
	if err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		d := live(a, &appsv1.Deployment{}, "web")
		d.Spec.Template.Spec.Containers[0].Image = image("web", version)
		return dev.Update(a.t.Context(), d)
	}); err != nil {
		a.t.Fatal(err)
	}
}

// devClient is a program that runs as the developer.
func (a *app) devClient() client.Client {
	a.t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", a.dev.kubeconfig)
	if err != nil {
		a.t.Fatal(err)
	}
	config.WarningHandler = rest.NoWarnings{}
	c, err := client.New(config, client.Options{Scheme: scheme()})
	if err != nil {
		a.t.Fatal(err)
	}
	return c
}
