// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/internal/plan"
	"github.com/backstay-dr/backstay/test/gen"
)

// What GitOps manages would be created again if it was pruned; its own marks are not kept in the cache.
func TestCacheKeepsWhetherGitOpsManagesARelease(t *testing.T) {
	for name, tc := range map[string]struct {
		option gen.Option
		want   bool
	}{
		"nobody":                      {gen.Label("team", "blue"), false},
		"an annotation of nobody":     {gen.Annotation("example.com/argoproj.io", "x"), false},
		"a domain that looks like it": {gen.Annotation("notargoproj.io/x", "x"), false},
		"Argo CD by annotation":       {gen.Annotation("argocd.argoproj.io/tracking-id", "shop:..."), true},
		"Argo CD by a hook":           {gen.Annotation("argocd.argoproj.io/hook", "PreSync"), true},
		"Argo CD by label":            {gen.Label("app.kubernetes.io/instance", "shop"), true},
		"Flux, a kustomization":       {gen.Label("kustomize.toolkit.fluxcd.io/name", "shop"), true},
		"Flux, a Helm release":        {gen.Label("helm.toolkit.fluxcd.io/name", "shop"), true},
		"Helm":                        {gen.Annotation("meta.helm.sh/release-name", "shop"), true},
		"whoever says so":             {gen.Label("app.kubernetes.io/managed-by", "pulumi"), true},
		"an owner": {func(o metav1.Object) {
			o.SetOwnerReferences([]metav1.OwnerReference{{Kind: "Pipeline", Name: "p"}})
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			release := gen.Release("shop", "1.5.0", tc.option)
			for range 2 { // transforms may see an object twice
				if _, err := Slim(release); err != nil {
					t.Fatal(err)
				}
				if _, got := release.Annotations[plan.AnnotationManaged]; got != tc.want {
					t.Errorf("managed: %t, want %t", got, tc.want)
				}
			}
		})
	}
}
