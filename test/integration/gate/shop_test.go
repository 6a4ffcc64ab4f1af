// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/integration/harness"
)

// shop is a namespace with the plan "shop", the Deployment "web" that it selects, a developer with the role edit and an
// administrator who may override the plan.
type shop struct {
	t         *testing.T
	cp        *harness.ControlPlane
	namespace string

	developer, admin *rest.Config

	// clients that were made already: each finds out anew what the API server serves.
	clients *sync.Map
}

// newShop sets the scene on the package's control plane.
func newShop(t *testing.T) *shop {
	t.Helper()
	return newShopOn(t, plane)
}

func newShopOn(t *testing.T, cp *harness.ControlPlane) *shop {
	t.Helper()
	s := newEmptyShopOn(t, cp)
	s.enforce(s.plan("shop", v1alpha1.GateModeHold))
	s.create(s.deployment("web"))
	return s
}

// newEmptyShopOn has the people, and neither plan nor Deployment.
func newEmptyShopOn(t *testing.T, cp *harness.ControlPlane) *shop {
	t.Helper()
	s := &shop{t: t, cp: cp, namespace: cp.Namespace(t), clients: &sync.Map{}}
	s.developer = cp.Developer(t, "dev", s.namespace)
	s.admin = cp.Developer(t, "admin-of-"+s.namespace, s.namespace)
	cp.AllowOverride(t, "admin-of-"+s.namespace, s.namespace, "shop")
	return s
}

// in is the same shop, in a subtest.
func (s *shop) in(t *testing.T) *shop {
	sub := *s
	sub.t = t
	return &sub
}

func (s *shop) plan(name string, mode v1alpha1.GateMode) *v1alpha1.DRPlan {
	plan := &v1alpha1.DRPlan{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: name}}
	plan.Spec.Workloads.MatchLabels = map[string]v1alpha1.LabelValue{"app.kubernetes.io/part-of": "shop"}
	plan.Spec.Gate.Mode = mode
	return plan
}

func (s *shop) deployment(name string) *appsv1.Deployment {
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{
		Namespace: s.namespace, Name: name, Labels: map[string]string{"app.kubernetes.io/part-of": "shop"},
	}}
	pods := map[string]string{"app": name}
	d.Spec.Selector = &metav1.LabelSelector{MatchLabels: pods}
	d.Spec.Template.Labels = pods
	d.Spec.Template.Spec.Containers = []corev1.Container{{Name: name, Image: "shop/" + name + ":1"}}
	return d
}

func (s *shop) create(object client.Object) {
	s.t.Helper()
	if err := s.cp.Client.Create(s.t.Context(), object); err != nil {
		s.t.Fatal(err)
	}
}

// get reads a Deployment as it is stored.
func (s *shop) get(name string) *appsv1.Deployment {
	s.t.Helper()
	d := &appsv1.Deployment{}
	if err := s.cp.Client.Get(s.t.Context(), types.NamespacedName{Namespace: s.namespace, Name: name}, d); err != nil {
		s.t.Fatal(err)
	}
	return d
}

// as is a client for a user.
func (s *shop) as(user *rest.Config) client.Client {
	s.t.Helper()
	if known, found := s.clients.Load(user); found {
		return known.(client.Client)
	}
	c, err := client.New(user, client.Options{Scheme: harness.Scheme})
	if err != nil {
		s.t.Fatal(err)
	}
	s.clients.Store(user, c)
	return c
}

// operator is the operator's own identity.
func (s *shop) operator() client.Client {
	s.t.Helper()
	return s.as(s.operatorConfig())
}

func (s *shop) operatorConfig() *rest.Config {
	s.t.Helper()
	config, err := s.cp.Operator(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return config
}

// listening is a client that hears the warnings.
func (s *shop) listening(user *rest.Config) (client.Client, *harness.Warnings) {
	s.t.Helper()
	warnings := &harness.Warnings{}
	user = rest.CopyConfig(user)
	user.WarningHandler = warnings
	return s.as(user), warnings
}

// patch sends a JSON merge patch to the Deployment "web" and returns the answer.
func (s *shop) patch(user client.Client, body string, options ...client.PatchOption) (*appsv1.Deployment, error) {
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "web"}}
	err := user.Patch(s.t.Context(), d, client.RawPatch(types.MergePatchType, []byte(body)), options...)
	return d, err
}

// mustPatch is patch where it is to succeed.
func (s *shop) mustPatch(user client.Client, body string, options ...client.PatchOption) *appsv1.Deployment {
	s.t.Helper()
	d, err := s.patch(user, body, options...)
	if err != nil {
		s.t.Fatalf("patch %s: %v", body, err)
	}
	return d
}

// letGo is a merge patch that takes a hold back without becoming the owner of the field.
var letGo = fmt.Sprintf(`{"metadata":{"annotations":{%q:null,%q:null}},"spec":{"paused":null}}`,
	v1alpha1.AnnotationHeldBy, v1alpha1.AnnotationUserPaused)

// release lets go of "web" as the operator.
func (s *shop) release() {
	s.t.Helper()
	s.mustPatch(s.operator(), letGo)
}

// reset deletes "web" and creates it anew.
func (s *shop) reset() {
	s.t.Helper()
	if err := s.cp.Client.Delete(s.t.Context(), s.get("web")); err != nil {
		s.t.Fatal(err)
	}
	s.create(s.deployment("web"))
}

func isConflict(err error) bool { return apierrors.IsConflict(err) }

// image is a merge patch that changes the template.
func image(tag string) string {
	return fmt.Sprintf(`{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"shop/web:%s"}]}}}}`, tag)
}

// annotation is a merge patch that sets an annotation.
func annotation(key, value string) string {
	return fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, key, value)
}
