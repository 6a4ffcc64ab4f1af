// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"strings"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/util/wait"
)

// accessPoll is how often the API server is asked whether its authorizer has heard of a change: no watch tells that.
const accessPoll = 20 * time.Millisecond

// awaitAccess waits until the API server allows, or does not allow any more, what a user asks for.
func (i *installation) awaitAccess(ctx context.Context, user string, want bool, what authorizationv1.ResourceAttributes) error {
	err := wait.PollUntilContextTimeout(ctx, accessPoll, patience, true, func(ctx context.Context) (bool, error) {
		review := &authorizationv1.SubjectAccessReview{}
		review.Spec.User, review.Spec.ResourceAttributes = user, &what
		if err := i.admin.Create(ctx, review); err != nil {
			return false, err
		}
		return review.Status.Allowed == want, nil
	})
	if err != nil {
		return fmt.Errorf("%s may %s %s, want %t: %w", user, what.Verb, what.Resource, want, err)
	}
	return nil
}

// awaitEditor waits until a user has the rights of the role "edit" in the namespace, those on plans among them: a
// controller adds them to that role.
func (a *app) awaitEditor(user string) {
	a.t.Helper()
	for _, what := range []authorizationv1.ResourceAttributes{
		{Namespace: a.namespace, Verb: "update", Group: "apps", Resource: "deployments"},
		{Namespace: a.namespace, Verb: "get", Group: "apps", Resource: "deployments"},
		{Namespace: a.namespace, Verb: "create", Group: "dr.backstay.dev", Resource: "drplans"},
	} {
		if err := a.awaitAccess(a.t.Context(), user, true, what); err != nil {
			a.t.Fatal(err)
		}
	}
}

// diagnosis is what somebody would look at first.
func (a *app) diagnosis() string {
	admin := a.root
	var b strings.Builder
	for _, args := range [][]string{
		{"get", "drplans,appreleases,deployments,replicasets,statefulsets,controllerrevisions,pods", "-o", "wide"},
		{"get", "drplans,appreleases", "-o", "yaml"},
		{"get", "deployments", "-o", `custom-columns=NAME:.metadata.name,PAUSED:.spec.paused,ANNOTATIONS:.metadata.annotations`},
		{"get", "statefulsets", "-o", `custom-columns=NAME:.metadata.name,STRATEGY:.spec.updateStrategy,ANNOTATIONS:.metadata.annotations,STATUS:.status`},
		{"get", "events", "--sort-by=.metadata.creationTimestamp"},
		{"-n", "velero", "get", "backups,restores", "-o", `custom-columns=NAME:.metadata.name,PHASE:.status.phase,CREATED:.metadata.creationTimestamp,DONE:.status.completionTimestamp,LABELS:.metadata.labels`},
	} {
		out, err := admin.try("", args...)
		if err != nil {
			out += err.Error()
		}
		fmt.Fprintf(&b, "--- kubectl %s\n%s\n", strings.Join(args, " "), out)
	}
	fmt.Fprintf(&b, "--- the operator's last words\n%s\n", lastLines(a.operatorLog(operatorName), 30))
	return b.String()
}
