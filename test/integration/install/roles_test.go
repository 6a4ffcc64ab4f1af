// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"

	"github.com/backstay-dr/backstay/test/integration/harness"
)

const operator = "system:serviceaccount:backstay-system:backstay-controller-manager"

// right is "verb resource.group namespace", with the namespace left out for the whole cluster. A subresource follows the
// resource after a slash.
type right string

func (r right) attributes() *authorizationv1.ResourceAttributes {
	words := strings.Fields(string(r))
	resource, group, _ := strings.Cut(words[1], ".")
	resource, subresource, _ := strings.Cut(resource, "/")
	a := &authorizationv1.ResourceAttributes{Verb: words[0], Resource: resource, Subresource: subresource, Group: group}
	if len(words) > 2 {
		a.Namespace = words[2]
	}
	return a
}

func TestTheOperatorMayDoWhatItsManifestsSayAndNoMore(t *testing.T) {
	install(t)
	wantRights(t, operator, map[right]bool{
		"list drplans.dr.backstay.dev":                   true,
		"update drplans/status.dr.backstay.dev shop":     true,
		"patch drplans.dr.backstay.dev shop":             false,
		"create appreleases.dr.backstay.dev shop":        true,
		"update appreleases/status.dr.backstay.dev shop": true,
		"delete appreleases.dr.backstay.dev shop":        true, // spec.releaseHistoryLimit
		"override drplans.dr.backstay.dev shop":          false,
		"patch deployments.apps shop":                    true,
		"create deployments.apps shop":                   false,
		"delete deployments.apps shop":                   false,
		"list replicasets.apps":                          true,
		"patch replicasets.apps shop":                    false,
		"create events.events.k8s.io shop":               true,
		"list namespaces":                                true,

		"create backups.velero.io velero":              true,
		"delete backups.velero.io velero":              true, // by a policy, only what Velero has not begun
		"create backups.velero.io shop":                false,
		"create restores.velero.io velero":             false,
		"list backupstoragelocations.velero.io velero": true,

		"update leases.coordination.k8s.io backstay-system": true,
		"update leases.coordination.k8s.io kube-system":     false,

		"list mutatingadmissionpolicies.admissionregistration.k8s.io":           true,
		"patch mutatingadmissionpolicies.admissionregistration.k8s.io":          false,
		"delete validatingadmissionpolicybindings.admissionregistration.k8s.io": false,

		"create tokenreviews.authentication.k8s.io":        true,
		"create subjectaccessreviews.authorization.k8s.io": true,

		"get secrets backstay-system":         false,
		"get secrets velero":                  false,
		"list secrets":                        false,
		"list configmaps":                     false,
		"list pods":                           false,
		"create pods/exec shop":               false,
		"create serviceaccounts/token velero": false,
		"create clusterrolebindings.rbac.authorization.k8s.io": false,
	})
}

func TestNamespaceUsersGetWhatTheirRoleSays(t *testing.T) {
	install(t)
	tests := map[string]map[right]bool{
		"backstay-viewer": {
			"list drplans.dr.backstay.dev":       true,
			"get appreleases.dr.backstay.dev":    true,
			"create drplans.dr.backstay.dev":     false,
			"delete appreleases.dr.backstay.dev": false,
			"override drplans.dr.backstay.dev":   false,
		},
		"backstay-editor": {
			"create drplans.dr.backstay.dev":            true,
			"delete appreleases.dr.backstay.dev":        true,
			"patch drplans/status.dr.backstay.dev":      false,
			"update appreleases/status.dr.backstay.dev": false,
			"override drplans.dr.backstay.dev":          false,
		},
		"backstay-attester": {
			"create appreleases.dr.backstay.dev": true,
			"attest drplans.dr.backstay.dev":     true,
			"get appreleases.dr.backstay.dev":    false,
			"update appreleases.dr.backstay.dev": false,
			"create drplans.dr.backstay.dev":     false,
			"override drplans.dr.backstay.dev":   false,
		},
		"backstay-override": {
			"override drplans.dr.backstay.dev": true,
			"get drplans.dr.backstay.dev":      false,
			"update drplans.dr.backstay.dev":   false,
		},
	}
	for role, rights := range tests {
		t.Run(role, func(t *testing.T) {
			namespace, elsewhere, user := plane.Namespace(t), plane.Namespace(t), role+"-user"
			plane.Kubectl(t, plane.Admin, namespace).
				Run("create", "rolebinding", user, "--clusterrole="+role, "--user="+user)
			want := map[right]bool{}
			for r, allowed := range rights {
				want[r+right(" "+namespace)] = allowed
				want[r+right(" "+elsewhere)] = false
			}
			wantRights(t, user, want)
		})
	}
}

// No role that is given to namespace users lets them override by the way.
func TestOverrideIsPartOfNoAggregatedRole(t *testing.T) {
	install(t)
	out := plane.Kubectl(t, plane.Admin, "default").Run("get", "clusterrole", "backstay-override", "-o", "jsonpath={.metadata.labels}")
	if strings.Contains(out.Stdout, "aggregate-to") {
		t.Errorf("backstay-override is aggregated: %s", out.Stdout)
	}
}

// wantRights waits until a user has these rights: the authorizer of the API server learns of a binding with a delay.
func wantRights(t *testing.T, user string, want map[right]bool) {
	t.Helper()
	harness.Eventually(t, "rights of "+user, 10*time.Second, func(ctx context.Context) error {
		for r, allowed := range want {
			review := &authorizationv1.SubjectAccessReview{
				Spec: authorizationv1.SubjectAccessReviewSpec{User: user, ResourceAttributes: r.attributes()},
			}
			if err := plane.Client.Create(ctx, review); err != nil {
				return err
			}
			if review.Status.Allowed != allowed {
				return fmt.Errorf("%q is allowed: %v, want %v", r, review.Status.Allowed, allowed)
			}
		}
		return nil
	})
}
