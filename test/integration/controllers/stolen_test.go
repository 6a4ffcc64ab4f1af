// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/controllers"
	"github.com/backstay-dr/backstay/internal/gate"
	"github.com/backstay-dr/backstay/internal/velero"
	"github.com/backstay-dr/backstay/test/integration/stage"
)

// thief is whoever got hold of the operator's token.
type thief struct {
	*shop
	client.Client
}

func newThief(t *testing.T) thief {
	t.Helper()
	cfg, err := scene.Operator(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(cfg, client.Options{Scheme: controllers.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	s := thief{emptyShop(t), c}
	// Some seconds after the CRD of Backups, the policies know its schema.
	s.await("the policies on Backups are in force", patience, func() (bool, any) {
		err := c.Create(t.Context(), s.backup(1), client.DryRunAll)
		return err == nil, err
	})
	return s
}

// backup is one as the operator builds it, of a plan that does not exist.
func (s thief) backup(rollout int32) *velerov1.Backup {
	plan := s.plan("ghost")
	plan.Spec.Backup.RetentionSeconds = 3600
	plan.Spec.Backup.Volumes = v1alpha1.VolumesSnapshot
	plan.Spec.Backup.MinHooks = 2
	id := velero.BackupID{Cluster: "cluster", Namespace: s.namespace, Plan: "ghost", Version: "1.5.0", Rollout: rollout, Attempt: 1}
	b := velero.NewBackup(plan, id, "1.4.2")
	b.Namespace = stage.VeleroNamespace
	return b
}

// forbidden fails the test unless the policy refused the request.
func forbidden(t *testing.T, err error, text string) {
	t.Helper()
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), text) {
		t.Errorf("it was not refused by %q: %v", text, err)
	}
}

// Only here: the policy that bounds what the operator does with Backups.
// Velero runs as an administrator and does what a Backup says: hooks are executed in any pod, and any namespace is read.
func TestStolenTokenCreatesNoBackupButThoseOfItsShape(t *testing.T) {
	t.Parallel()
	s := newThief(t)
	const fields, identity = "no hooks, no selectors, no further resources", "named and labelled by its plan, release and rollout"
	const scope, state = "of exactly the namespace that its label names", "must not create a Backup with a status, finalizers or owners"
	set := func(value any, path ...string) func(map[string]any) {
		return func(b map[string]any) {
			if err := unstructured.SetNestedField(b, value, path...); err != nil {
				t.Fatal(err)
			}
		}
	}
	hook := map[string]any{"name": "x", "pre": []any{map[string]any{"exec": map[string]any{"command": []any{"sh"}}}}}
	tests := map[string]struct {
		change func(map[string]any)
		want   string
	}{
		"with a hook":                      {set([]any{hook}, "spec", "hooks", "resources"), fields},
		"of everything":                    {set([]any{"*"}, "spec", "includedNamespaces"), scope},
		"of another namespace":             {set([]any{"kube-system"}, "spec", "includedNamespaces"), scope},
		"of another namespace besides":     {set([]any{s.namespace, "kube-system"}, "spec", "includedNamespaces"), scope},
		"of no namespace":                  {func(b map[string]any) { unstructured.RemoveNestedField(b, "spec", "includedNamespaces") }, scope},
		"without a spec":                   {func(b map[string]any) { delete(b, "spec") }, scope},
		"with cluster-scoped resources":    {set(true, "spec", "includeClusterResources"), fields},
		"of Secrets only":                  {set([]any{"secrets"}, "spec", "includedResources"), fields},
		"by a selector":                    {set(map[string]any{"a": "b"}, "spec", "labelSelector", "matchLabels"), fields},
		"into a snapshot location":         {set([]any{"x"}, "spec", "volumeSnapshotLocations"), fields},
		"with a resource policy":           {set(map[string]any{"kind": "configmap", "name": "x"}, "spec", "resourcePolicy"), fields},
		"moving data":                      {set(true, "spec", "snapshotMoveData"), fields},
		"with a timeout":                   {set("1s", "spec", "itemOperationTimeout"), fields},
		"with labels for what is restored": {set(map[string]any{"a": "b"}, "spec", "metadata", "labels"), fields},
		"Completed already":                {set("Completed", "status", "phase"), state},
		"that expires now":                 {set("2020-01-01T00:00:00Z", "status", "expiration"), state},
		"with a finalizer":                 {set([]any{"example.com/f"}, "metadata", "finalizers"), state},
		"with an owner":                    {set([]any{map[string]any{"apiVersion": "v1", "kind": "Pod", "name": "x", "uid": "y"}}, "metadata", "ownerReferences"), state},
		"under another name":               {set("nightly", "metadata", "name"), identity},
		"under a generated name": {func(b map[string]any) {
			unstructured.RemoveNestedField(b, "metadata", "name")
			set("x-", "metadata", "generateName")(b)
		}, identity},
		"of no cluster": {func(b map[string]any) {
			unstructured.RemoveNestedField(b, "metadata", "labels", v1alpha1.LabelCluster)
		}, identity},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forbidden(t, s.Create(t.Context(), asMap(t, s.backup(1), test.change)), test.want)
		})
	}
	if err := s.Create(t.Context(), s.backup(1)); err != nil {
		t.Errorf("as the operator builds it: %v", err)
	}
}

// asMap is a Backup as it goes over the wire, changed.
func asMap(t *testing.T, b *velerov1.Backup, change func(map[string]any)) *unstructured.Unstructured {
	t.Helper()
	raw, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	u := &unstructured.Unstructured{}
	if err := json.Unmarshal(raw, &u.Object); err != nil {
		t.Fatal(err)
	}
	u.SetGroupVersionKind(velerov1.SchemeGroupVersion.WithKind("Backup"))
	change(u.Object)
	return u
}

// Only here: the policies that bound what the operator does with Backups.
// A Completed backup that a thief could let expire, or a failed one that they could call Completed.
func TestStolenTokenChangesNothingOfABackupButItsMarks(t *testing.T) {
	t.Parallel()
	s := newThief(t)
	b := s.backup(1)
	s.create(b)
	s.complete(b.Name)
	const spec, labels, annotations = "must not change its spec, status", "must not change any other of its labels", "record once that it failed"
	mark := func(key, value string) string { return fmt.Sprintf(`{"metadata":{"annotations":{%q:%s}}}`, key, value) }
	label := func(key, value string) string { return fmt.Sprintf(`{"metadata":{"labels":{%q:%s}}}`, key, value) }
	for _, allowed := range []string{mark(v1alpha1.AnnotationTouched, `"a"`), mark(v1alpha1.AnnotationTouched, `"b"`), mark(v1alpha1.AnnotationFailed, `"now"`)} {
		if err := s.try(b, allowed); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct{ body, want string }{
		"to expire":                  {`{"status":{"expiration":"2020-01-01T00:00:00Z"}}`, spec},
		"to be in another phase":     {`{"status":{"phase":"Failed"}}`, spec},
		"to be kept shorter":         {`{"spec":{"ttl":"1s"}}`, spec},
		"to run a hook":              {`{"spec":{"hooks":{"resources":[{"name":"x"}]}}}`, spec},
		"to be finalized":            {`{"metadata":{"finalizers":["example.com/f"]}}`, spec},
		"to be owned":                {`{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"x","uid":"y"}]}}`, spec},
		"to have captured another":   {label(v1alpha1.LabelVersion, `"2"`), labels},
		"to be of another plan":      {label(v1alpha1.LabelPlan, `"other"`), labels},
		"to be of another cluster":   {label(v1alpha1.LabelCluster, `"other"`), labels},
		"to be nobody's":             {label(v1alpha1.LabelCluster, `null`), labels},
		"to be mixed in another way": {label(v1alpha1.LabelMixed, `"false"`), labels},
		"to have captured more":      {mark(v1alpha1.AnnotationVersion, `"2"`), annotations},
		"to need no hooks":           {mark(v1alpha1.AnnotationMinHooks, `null`), annotations},
		"to have failed later":       {mark(v1alpha1.AnnotationFailed, `"later"`), annotations},
		"not to have failed":         {mark(v1alpha1.AnnotationFailed, `null`), annotations},
	} {
		t.Run(name, func(t *testing.T) { forbidden(t, s.try(b, test.body), test.want) })
	}
	if err := s.try(b, string(velero.MixedPatch())); err != nil {
		t.Errorf("to take back what it captured: %v", err)
	}
	if err := s.try(b, `{"metadata":{"labels":{"velero.io/storage-location":"evil"},"annotations":{"note":"x"}}}`); err != nil {
		t.Fatal(err)
	}
	if err := s.Get(t.Context(), client.ObjectKeyFromObject(b), b); err != nil {
		t.Fatal(err)
	}
	if b.Labels["velero.io/storage-location"] != "" || b.Annotations["note"] != "" {
		t.Errorf("a foreign label or annotation was not taken back: %v %v", b.Labels, b.Annotations)
	}
}

// Only here: the policy that bounds what the operator does with Backups.
func TestStolenTokenTouchesNoBackupOfSomebodyElse(t *testing.T) {
	t.Parallel()
	s := newThief(t)
	theirs := &velerov1.Backup{ObjectMeta: metav1.ObjectMeta{Namespace: stage.VeleroNamespace, Name: "nightly-" + s.namespace}}
	s.create(theirs)
	const own = "the operator may only touch its own Backups"
	forbidden(t, s.try(theirs, string(velero.MixedPatch())), own)
	forbidden(t, s.try(theirs, fmt.Sprintf(`{"metadata":{"labels":{%q:"x"}}}`, v1alpha1.LabelCluster)), own)
}

func (s thief) try(b *velerov1.Backup, body string) error {
	target := &velerov1.Backup{ObjectMeta: metav1.ObjectMeta{Namespace: b.Namespace, Name: b.Name}}
	return s.Patch(s.Context(), target, client.RawPatch(types.MergePatchType, []byte(body)))
}

// Only here: the policy that bounds what the operator does with Backups.
func TestStolenTokenWithdrawsNoBackupThatHasBegun(t *testing.T) {
	t.Parallel()
	s := newThief(t)
	for i, phase := range append([]velerov1.BackupPhase{""}, stage.Walk...) {
		b := s.backup(int32(i + 1))
		s.create(b)
		if phase != "" {
			s.pass(b.Name, phase, nil)
		}
		err := s.Delete(t.Context(), b)
		switch phase {
		case "", velerov1.BackupPhaseNew, velerov1.BackupPhaseQueued:
			if err != nil {
				t.Errorf("%q: %v", phase, err)
			}
		default:
			forbidden(t, err, "the operator may only withdraw a Backup that Velero has not begun")
		}
	}
}

// Only here: the policy that bounds what the operator does with AppReleases.
// A release of the operator records that a version exists. It says nothing of what it is made of, and announces nothing.
func TestStolenTokenCreatesNoReleaseButARecord(t *testing.T) {
	t.Parallel()
	s := newThief(t)
	const record = "the operator may only record that a version of a plan exists"
	for name, test := range map[string]struct {
		change func(*v1alpha1.AppRelease)
		want   string
	}{
		"to have everything backed up": {func(r *v1alpha1.AppRelease) { r.Spec.Intent = v1alpha1.IntentDeploy }, record},
		"to name images":               {func(r *v1alpha1.AppRelease) { r.Spec.Artifacts = []v1alpha1.Artifact{{Image: "shop:1"}} }, record},
		"with a data version":          {func(r *v1alpha1.AppRelease) { r.Spec.DataVersion = "1" }, record},
		"with a source":                {func(r *v1alpha1.AppRelease) { r.Spec.Source = &v1alpha1.ReleaseSource{Builder: "x"} }, record},
		"with a finalizer":             {func(r *v1alpha1.AppRelease) { r.Finalizers = []string{"example.com/f"} }, "with finalizers or owners"},
	} {
		t.Run(name, func(t *testing.T) {
			r := s.announce("ghost-1", "1", v1alpha1.IntentRecord)
			test.change(r)
			forbidden(t, s.Create(t.Context(), r), test.want)
		})
	}
	r := s.announce("ghost-1", "1", v1alpha1.IntentRecord)
	r.Labels, r.Annotations = map[string]string{"argocd.argoproj.io/instance": "x"}, map[string]string{"note": "x"}
	if err := s.Create(t.Context(), r); err != nil {
		t.Fatalf("a record: %v", err)
	}
	if len(r.Labels) > 0 || r.Annotations["note"] != "" {
		t.Errorf("a foreign label or annotation was not taken back: %v %v", r.Labels, r.Annotations)
	}
}

// Only here: the policy that bounds what the operator does with AppReleases.
// The operator prunes releases, and a thief could wipe out the record of what is held.
func TestStolenTokenDeletesNoReleaseOfWhichSomethingGoesOn(t *testing.T) {
	t.Parallel()
	s := newThief(t)
	const ended = "belongs to nobody and of which every rollout has ended"
	rolled := func(name string, outcomes ...v1alpha1.RolloutOutcome) *v1alpha1.AppRelease {
		r := s.announce(name, name, v1alpha1.IntentRecord)
		r.Spec.Plan = "ghost"
		s.create(r)
		rollouts := []map[string]any{}
		for i, outcome := range outcomes {
			ro := map[string]any{"number": len(outcomes) - i, "cause": v1alpha1.CauseHeld, "openedTime": metav1.Now()}
			if outcome != "" {
				ro["outcome"] = outcome
			}
			rollouts = append(rollouts, ro)
		}
		body, err := json.Marshal(map[string]any{"status": map[string]any{"rollouts": rollouts}})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.stage.Live.Status().Patch(t.Context(), r, client.RawPatch(types.MergePatchType, body)); err != nil {
			t.Fatal(err)
		}
		return r
	}
	owned := s.announce("owned", "owned", v1alpha1.IntentRecord)
	owned.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "x", UID: "y"}}
	s.create(owned)
	forbidden(t, s.Delete(t.Context(), owned), ended)
	forbidden(t, s.Delete(t.Context(), rolled("going-on", "", v1alpha1.OutcomeRolledOut)), ended)
	for _, r := range []*v1alpha1.AppRelease{rolled("ended", v1alpha1.OutcomeRolledOut, v1alpha1.OutcomeReverted), rolled("idle")} {
		if err := s.Delete(t.Context(), r); err != nil {
			t.Errorf("%s: %v", r.Name, err)
		}
	}
}

// Only here: the roles that ship.
// What no policy bounds, since the operator has no right to it at all.
func TestStolenTokenHasNoRightToMore(t *testing.T) {
	t.Parallel()
	s := newThief(t)
	for _, what := range []authorizationv1.ResourceAttributes{
		{Group: "apps", Resource: "deployments", Verb: "create"},
		{Group: "apps", Resource: "deployments", Verb: "update"},
		{Group: "apps", Resource: "deployments", Verb: "delete"},
		{Group: "apps", Resource: "deployments", Subresource: "status", Verb: "patch"},
		{Group: "apps", Resource: "deployments", Subresource: "scale", Verb: "patch"},
		{Group: "apps", Resource: "replicasets", Verb: "patch"},
		{Group: "apps", Resource: "replicasets", Verb: "create"},
		{Resource: "pods", Verb: "create"},
		{Resource: "secrets", Verb: "get"},
		{Resource: "configmaps", Verb: "get"},
		{Resource: "namespaces", Verb: "patch"},
		{Resource: "serviceaccounts", Subresource: "token", Verb: "create"},
		{Group: v1alpha1.GroupName, Resource: "appreleases", Verb: "patch"},
		{Group: v1alpha1.GroupName, Resource: "appreleases", Verb: "update"},
		{Group: v1alpha1.GroupName, Resource: "drplans", Verb: "patch"},
		{Group: v1alpha1.GroupName, Resource: "drplans", Verb: v1alpha1.VerbOverride},
		{Group: "events.k8s.io", Resource: "events", Verb: "delete"},
		{Group: "velero.io", Resource: "backups", Verb: "update"},
		{Group: "velero.io", Resource: "backups", Verb: "deletecollection"},
		{Group: "velero.io", Resource: "restores", Verb: "create"},
		{Group: "velero.io", Resource: "deletebackuprequests", Verb: "create"},
		{Group: "velero.io", Resource: "downloadrequests", Verb: "create"},
		{Group: "velero.io", Resource: "schedules", Verb: "create"},
		{Group: "velero.io", Resource: "backupstoragelocations", Verb: "patch"},
		{Group: "admissionregistration.k8s.io", Resource: "validatingadmissionpolicies", Verb: "patch"},
		{Group: "rbac.authorization.k8s.io", Resource: "clusterrolebindings", Verb: "create"},
	} {
		for _, namespace := range []string{stage.VeleroNamespace, s.namespace, gate.DefaultIdentity().Namespace} {
			what.Namespace = namespace
			review := &authorizationv1.SelfSubjectAccessReview{}
			review.Spec.ResourceAttributes = &what
			if err := s.Create(t.Context(), review); err != nil {
				t.Fatal(err)
			}
			if review.Status.Allowed {
				t.Errorf("it may %s %s %s/%s in %s", what.Verb, what.Group, what.Resource, what.Subresource, namespace)
			}
		}
	}
}
