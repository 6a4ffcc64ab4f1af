// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/internal/gate"
)

// operatorRole is the name of the roles that the operator ships with: one for the cluster, one for Velero's namespace.
const operatorRole = "backstay-manager"

// right is something that the operator may do.
type right struct {
	verb, group, resource string
	namespace             string // "" for the whole cluster
}

// withhold takes a right from the operator's role, which freezes it just before it would use it, and returns what
// gives it back. It is given back when the test is over, at the latest.
func (i *installation) withhold(t *testing.T, r right) (giveBack func()) {
	t.Helper()
	var role client.Object = &rbacv1.ClusterRole{}
	if r.namespace != "" {
		role = &rbacv1.Role{}
	}
	key := client.ObjectKey{Namespace: r.namespace, Name: operatorRole}
	if err := i.admin.Get(t.Context(), key, role); err != nil {
		t.Fatal(err)
	}
	rules := rulesOf(role)
	all := slices.Clone(*rules)
	*rules = without(all, r)
	if err := i.admin.Update(t.Context(), role); err != nil {
		t.Fatal(err)
	}
	if err := i.awaitRight(t.Context(), r, false); err != nil {
		t.Fatal(err)
	}
	giveBack = sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		*rules = all
		if err := i.admin.Update(ctx, role); err != nil {
			t.Errorf("give the operator its right back: %v", err)
		}
		if err := i.awaitRight(ctx, r, true); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(giveBack)
	return giveBack
}

func rulesOf(role client.Object) *[]rbacv1.PolicyRule {
	switch r := role.(type) {
	case *rbacv1.ClusterRole:
		return &r.Rules
	case *rbacv1.Role:
		return &r.Rules
	default:
		panic(fmt.Sprintf("%T is no role", role))
	}
}

// without lists rules for one resource each, with one right less.
func without(rules []rbacv1.PolicyRule, r right) []rbacv1.PolicyRule {
	var out []rbacv1.PolicyRule
	for _, rule := range rules {
		for _, resource := range rule.Resources {
			one := *rule.DeepCopy()
			one.Resources = []string{resource}
			if resource == r.resource && slices.Contains(rule.APIGroups, r.group) {
				one.Verbs = slices.DeleteFunc(one.Verbs, func(verb string) bool { return verb == r.verb })
			}
			if len(one.Verbs) > 0 {
				out = append(out, one)
			}
		}
	}
	return out
}

func (i *installation) awaitRight(ctx context.Context, r right, want bool) error {
	resource, subresource, _ := strings.Cut(r.resource, "/")
	return i.awaitAccess(ctx, gate.DefaultIdentity().Username(), want, authorizationv1.ResourceAttributes{
		Namespace: r.namespace, Verb: r.verb, Group: r.group, Resource: resource, Subresource: subresource,
	})
}

// awaitRefused waits until the operator has said that it was refused a right, for an object of a namespace. It says so
// in its log only, which nobody can watch.
func (a *app) awaitRefused(r right) {
	a.t.Helper()
	namespace := r.namespace
	if namespace == "" {
		namespace = a.namespace
	}
	text := fmt.Sprintf("cannot %s resource %q in API group %q in the namespace %q", r.verb, r.resource, r.group, namespace)
	err := wait.PollUntilContextTimeout(a.t.Context(), 20*time.Millisecond, patience, true, func(context.Context) (bool, error) {
		return strings.Contains(strings.ReplaceAll(a.operatorLog(operatorName), `\"`, `"`), text), nil
	})
	if err != nil {
		a.t.Fatalf("the operator was not refused: it %s: %v\n%s", text, err, a.diagnosis())
	}
}
