// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// releaseOf is one of the plan "shop".
func (s *shop) releaseOf(version string) *v1alpha1.AppRelease {
	r := &v1alpha1.AppRelease{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "shop-" + version}}
	r.Spec.Plan, r.Spec.Version = "shop", version
	return r
}

// builder is a user who may create releases and nothing else.
func (s *shop) builder(name string) *rest.Config {
	s.t.Helper()
	s.cp.AllowVerb(s.t, name, s.namespace, "create", "appreleases")
	return s.cp.Stranger(s.t, name)
}

func TestReleaseTellsWhoCreatedItWhateverItSays(t *testing.T) {
	t.Parallel()
	s := newEmptyShopOn(t, plane)
	dev := s.as(s.developer)
	s.cp.AllowVerb(t, "dev", s.namespace, "create", "appreleases")
	s.cp.AllowVerb(t, "dev", s.namespace, "patch", "appreleases")
	for name, annotations := range map[string]map[string]string{
		"nothing":       nil,
		"something":     {"note": "x"},
		"somebody else": {v1alpha1.AnnotationCreatedBy: "admin"},
	} {
		t.Run(name, func(t *testing.T) {
			r := s.releaseOf(strings.ReplaceAll(name, " ", "-"))
			r.Annotations = annotations
			if err := dev.Create(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			for _, body := range []string{"{}", annotation(v1alpha1.AnnotationCreatedBy, "admin"), `{"metadata":{"annotations":null}}`} {
				if err := dev.Patch(t.Context(), r, client.RawPatch("application/merge-patch+json", []byte(body))); err != nil {
					t.Fatal(err)
				}
				if got := r.Annotations[v1alpha1.AnnotationCreatedBy]; got != "dev" {
					t.Errorf("after %s it was created by %q", body, got)
				}
			}
		})
	}
	before := s.releaseOf("before")
	s.create(before) // as an administrator
	if got := before.Annotations[v1alpha1.AnnotationCreatedBy]; got == "" || got == "dev" {
		t.Errorf("created by %q", got)
	}
}

func TestNameOfAnUntrustworthyIdentityProviderIsNotPrinted(t *testing.T) {
	t.Parallel()
	s := newEmptyShopOn(t, plane)
	for name, want := range map[string]string{
		"ev\u202ea":              "(a name with unprintable characters)",
		"zero\u200bwidth":        "(a name with unprintable characters)",
		strings.Repeat("x", 300): strings.Repeat("x", 256),
		"José Müller":            "José Müller",
	} {
		cfg := rest.CopyConfig(s.cp.Admin)
		cfg.Impersonate = rest.ImpersonationConfig{UserName: name, Groups: []string{"system:masters"}}
		r := s.releaseOf("1")
		if err := s.as(cfg).Create(t.Context(), r, client.DryRunAll); err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		if got := r.Annotations[v1alpha1.AnnotationCreatedBy]; got != want {
			t.Errorf("%q is printed as %q", name, got)
		}
	}
}

// With create on AppReleases alone somebody could have a plan show that what it was written for runs, whatever does.
func TestOnlyWhoMayDeployOrAttestSaysWhatAVersionIs(t *testing.T) {
	t.Parallel()
	s := newEmptyShopOn(t, plane)
	builder, attester := s.builder("builder-of-"+s.namespace), s.builder("attester-of-"+s.namespace)
	s.cp.AllowVerb(t, "attester-of-"+s.namespace, s.namespace, v1alpha1.VerbAttest, "drplans", "shop")
	s.cp.AllowVerb(t, "dev", s.namespace, "create", "appreleases")
	for name, claim := range map[string]func(*v1alpha1.AppReleaseSpec){
		"its images":       func(r *v1alpha1.AppReleaseSpec) { r.Artifacts = []v1alpha1.Artifact{{Image: "shop/web:1"}} },
		"its data version": func(r *v1alpha1.AppReleaseSpec) { r.DataVersion = "12" },
		"what it runs on":  func(r *v1alpha1.AppReleaseSpec) { r.DataCompatibility = []string{"11"} },
	} {
		t.Run(name, func(t *testing.T) {
			r := s.releaseOf("1")
			claim(&r.Spec)
			refused(t, s.as(builder).Create(t.Context(), r.DeepCopy(), client.DryRunAll), "builder-of-", "may not say which images and data version 1 is",
				"backstay-attester", "attest on drplans.dr.backstay.dev shop", "patch on deployments.apps or statefulsets.apps, in namespace "+s.namespace)
			for who, user := range map[string]*rest.Config{"attester": attester, "developer": s.developer} {
				if err := s.as(user).Create(t.Context(), r.DeepCopy(), client.DryRunAll); err != nil {
					t.Errorf("%s: %v", who, err)
				}
			}
			r.Spec.Plan = "another"
			refused(t, s.as(attester).Create(t.Context(), r, client.DryRunAll), "attest on drplans.dr.backstay.dev another")
		})
	}
	plain := s.releaseOf("1")
	plain.Spec.Intent, plain.Spec.Source = v1alpha1.IntentDeploy, &v1alpha1.ReleaseSource{Revision: "4bead38", Builder: "jenkins"}
	if err := s.as(builder).Create(t.Context(), plain); err != nil {
		t.Errorf("that it exists, and where it comes from: %v", err)
	}
}
