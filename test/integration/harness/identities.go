// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/gate"
)

// Scheme knows the kinds of Kubernetes and of Backstay.
var Scheme = func() *runtime.Scheme {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(apiextensionsv1.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	return scheme
}()

// veleroNamespace is where config/rbac lets the operator create backups.
const veleroNamespace = "velero"

// What a developer, or a pipeline, is usually bound to: the ClusterRole "edit" of Kubernetes. It is put together by a
// controller that does not run here, from these two among others.
var editRoles = []string{"system:aggregate-to-edit", "system:aggregate-to-view"}

// Stranger is a person with a client certificate who may do nothing.
func (cp *ControlPlane) Stranger(t *testing.T, name string) *rest.Config {
	t.Helper()
	user, err := cp.env.ControlPlane.AddUser(envtest.User{Name: name, Groups: []string{"people"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return unlimited(user.Config())
}

// Developer is a person with a client certificate and the role "edit" in one namespace.
func (cp *ControlPlane) Developer(t *testing.T, name, namespace string) *rest.Config {
	t.Helper()
	cp.allowEdit(t, namespace, rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: name}, name)
	return cp.Stranger(t, name)
}

// Pipeline is a ServiceAccount with a token and the role "edit" in its namespace: what CI or a GitOps tool runs under.
func (cp *ControlPlane) Pipeline(t *testing.T, name, namespace string) *rest.Config {
	t.Helper()
	account := &corev1.ServiceAccount{}
	account.Namespace, account.Name = namespace, name
	if err := cp.Client.Create(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	cp.allowEdit(t, namespace, rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: name},
		"system:serviceaccount:"+namespace+":"+name)
	config, err := cp.tokenFor(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func (cp *ControlPlane) allowEdit(t *testing.T, namespace string, subject rbacv1.Subject, username string) {
	t.Helper()
	for _, role := range editRoles {
		cp.bind(t, namespace, rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role}, subject)
	}
	cp.waitAllowed(t, username, authorizationv1.ResourceAttributes{
		Namespace: namespace, Verb: "update", Group: "apps", Resource: "deployments",
	})
	cp.waitAllowed(t, username, authorizationv1.ResourceAttributes{
		Namespace: namespace, Verb: "get", Group: "apps", Resource: "deployments",
	})
}

// AllowOverride lets a user override the holds of one plan.
func (cp *ControlPlane) AllowOverride(t *testing.T, username, namespace, plan string) {
	t.Helper()
	cp.AllowVerb(t, username, namespace, v1alpha1.VerbOverride, "drplans", plan)
}

// AllowVerb lets a user do one thing to a resource of ours in one namespace, or to the one object that is named.
func (cp *ControlPlane) AllowVerb(t *testing.T, username, namespace, verb, resource string, name ...string) {
	t.Helper()
	role := &rbacv1.Role{Rules: []rbacv1.PolicyRule{{
		APIGroups: []string{v1alpha1.GroupName}, Resources: []string{resource}, ResourceNames: name, Verbs: []string{verb},
	}}}
	role.Namespace, role.GenerateName = namespace, verb+"-"
	if err := cp.Client.Create(t.Context(), role); err != nil {
		t.Fatal(err)
	}
	cp.bind(t, namespace, rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
		rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: username})
	cp.waitAllowed(t, username, authorizationv1.ResourceAttributes{
		Namespace: namespace, Verb: verb, Group: v1alpha1.GroupName, Resource: resource, Name: strings.Join(name, ""),
	})
}

// AllowPlans lets a user write the plans of one namespace.
func (cp *ControlPlane) AllowPlans(t *testing.T, username, namespace string) {
	t.Helper()
	cp.bind(t, namespace, rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "backstay-editor"},
		rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: username})
	cp.waitAllowed(t, username, authorizationv1.ResourceAttributes{
		Namespace: namespace, Verb: "deletecollection", Group: v1alpha1.GroupName, Resource: "drplans",
	})
}

// AllowEverything binds a user to a role that allows everything in one namespace, as that of a GitOps tool often does.
func (cp *ControlPlane) AllowEverything(t *testing.T, username, namespace string) {
	t.Helper()
	role := &rbacv1.Role{Rules: []rbacv1.PolicyRule{{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"*"}}}}
	role.Namespace, role.GenerateName = namespace, "everything-"
	if err := cp.Client.Create(t.Context(), role); err != nil {
		t.Fatal(err)
	}
	cp.bind(t, namespace, rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
		rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: username})
	cp.waitAllowed(t, username, authorizationv1.ResourceAttributes{
		Namespace: namespace, Verb: v1alpha1.VerbOverride, Group: v1alpha1.GroupName, Resource: "drplans", Name: "any",
	})
}

func (cp *ControlPlane) bind(t *testing.T, namespace string, role rbacv1.RoleRef, subject rbacv1.Subject) {
	t.Helper()
	binding := &rbacv1.RoleBinding{RoleRef: role, Subjects: []rbacv1.Subject{subject}}
	binding.Namespace, binding.GenerateName = namespace, "test-"
	if err := cp.Client.Create(t.Context(), binding); err != nil {
		t.Fatal(err)
	}
}

// waitAllowed waits until the API server's authorizer has heard of a binding.
func (cp *ControlPlane) waitAllowed(t *testing.T, username string, attributes authorizationv1.ResourceAttributes) {
	t.Helper()
	Eventually(t, username+" may "+attributes.Verb, 10*time.Second, func(ctx context.Context) error {
		return cp.allowed(ctx, username, attributes)
	})
}

func (cp *ControlPlane) allowed(
	ctx context.Context, username string, attributes authorizationv1.ResourceAttributes,
) error {
	review := &authorizationv1.SubjectAccessReview{}
	review.Spec.User, review.Spec.ResourceAttributes = username, &attributes
	if err := cp.Client.Create(ctx, review); err != nil {
		return err
	}
	if !review.Status.Allowed {
		return fmt.Errorf("%s may not %s %s", username, attributes.Verb, attributes.Resource)
	}
	return nil
}

// Operator is the operator's own ServiceAccount with a token of the API server, and the RBAC that it ships with.
func (cp *ControlPlane) Operator(ctx context.Context) (*rest.Config, error) {
	id := gate.DefaultIdentity()
	for _, name := range []string{id.Namespace, veleroNamespace} {
		namespace := &corev1.Namespace{}
		namespace.Name = name
		if err := client.IgnoreAlreadyExists(cp.Client.Create(ctx, namespace)); err != nil {
			return nil, err
		}
	}
	if err := cp.createFromFiles(ctx, Path("config", "rbac", "*_*.yaml"), Path("config", "rbac", "role.yaml")); err != nil {
		return nil, err
	}
	account := &corev1.ServiceAccount{}
	account.Namespace, account.Name = id.Namespace, id.ServiceAccount
	if err := poll(ctx, gateWithin, func(ctx context.Context) error {
		return cp.allowed(ctx, id.Username(), authorizationv1.ResourceAttributes{
			Verb: "patch", Group: "apps", Resource: "deployments",
		})
	}); err != nil {
		return nil, err
	}
	return cp.tokenFor(ctx, account)
}

func (cp *ControlPlane) tokenFor(ctx context.Context, account *corev1.ServiceAccount) (*rest.Config, error) {
	request := &authenticationv1.TokenRequest{}
	if err := cp.Client.SubResource("token").Create(ctx, account, request); err != nil {
		return nil, fmt.Errorf("request a token for %s: %w", client.ObjectKeyFromObject(account), err)
	}
	config := rest.AnonymousClientConfig(cp.Admin)
	config.BearerToken = request.Status.Token
	return unlimited(config), nil
}

func unlimited(config *rest.Config) *rest.Config {
	config = rest.CopyConfig(config)
	config.QPS = -1
	return config
}
