// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// name names the ServiceAccounts whose overrides count in the namespace.
func (s *shop) name(accounts string) {
	s.t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}
	s.cp.MustPatch(s.t, namespace, annotation(v1alpha1.AnnotationOverrideServiceAccounts, accounts))
}

// The role of a GitOps tool often allows everything, and whoever writes to its repository would override by it.
func TestOverrideOfAServiceAccountCountsOnlyWhereTheNamespaceNamesIt(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	pipeline := s.cp.Pipeline(t, "argocd", s.namespace)
	username := "system:serviceaccount:" + s.namespace + ":argocd"
	s.cp.AllowEverything(t, username, s.namespace)
	ci := s.as(pipeline)
	denied := func() {
		t.Helper()
		_, err := s.patch(ci, overrideWith("2", "hotfix"))
		refused(t, err, "user "+username+" may not override the hold of DRPlan shop",
			"counts from a ServiceAccount only where the annotation dr.backstay.dev/override-service-accounts of the namespace "+s.namespace+" names it")
	}
	denied()
	named := s.as(s.cp.Pipeline(t, "named", s.namespace))
	s.cp.AllowOverride(t, "system:serviceaccount:"+s.namespace+":named", s.namespace, "shop")
	counts := func() error {
		_, err := s.patch(named, overrideWith("2", "hotfix"), client.DryRunAll)
		return err
	}
	for _, names := range []string{"", "argocd", "other/argocd", s.namespace + ":argocd", s.namespace + "/argocd2", "/argocd,,"} {
		s.name(names + "," + s.namespace + "/named")
		s.eventually("the annotation reached admission", counts)
		denied()
		s.name("")
		s.eventually("and nobody is named", func() error {
			if counts() == nil {
				return errors.New("still named")
			}
			return nil
		})
	}
	// What is longer than anybody means names nobody.
	s.name(s.namespace + "/argocd," + strings.Repeat("x", 5000))
	denied()
	s.name("ci/deployer, " + s.namespace + "/argocd")
	s.eventually("named", func() error {
		d, err := s.patch(ci, overrideWith("2", "hotfix"))
		if err == nil && d.Annotations[v1alpha1.AnnotationOverriddenBy] != username {
			return fmt.Errorf("not overridden: %+v", stateOf(d))
		}
		return err
	})
}

func TestServiceAccountThatIsNamedNeedsTheVerbAllTheSame(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	ci := s.as(s.cp.Pipeline(t, "ci", s.namespace))
	s.name(s.namespace + "/ci")
	s.eventually("named", func() error {
		_, err := s.patch(ci, overrideWith("2", "hotfix"))
		refused(t, err, "may not override the hold of DRPlan shop")
		if !strings.Contains(err.Error(), "needs the verb override on drplans.dr.backstay.dev shop") {
			return err
		}
		return nil
	})
}
