// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/velero"
	"github.com/backstay-dr/backstay/test/integration/stage"
)

// rule is a policy as whoever administers the cluster may have: what a request must fulfil.
type rule struct {
	operation      admissionv1.OperationType
	group, version string
	resource       string
	names          []string
	expression     string
	message        string
}

// enforce installs a rule, and waits until a request that breaks it is refused.
func (s *shop) enforce(r rule, try func() error) (repeal func()) {
	s.Helper()
	invalid := metav1.StatusReasonInvalid
	policy := &admissionv1.ValidatingAdmissionPolicy{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}
	policy.Spec = admissionv1.ValidatingAdmissionPolicySpec{
		MatchConstraints: &admissionv1.MatchResources{ResourceRules: []admissionv1.NamedRuleWithOperations{{
			RuleWithOperations: admissionv1.RuleWithOperations{
				Operations: []admissionv1.OperationType{r.operation},
				Rule:       admissionv1.Rule{APIGroups: []string{r.group}, APIVersions: []string{r.version}, Resources: []string{r.resource}},
			},
			ResourceNames: r.names,
		}}},
		Validations: []admissionv1.Validation{{Expression: r.expression, Message: r.message, Reason: &invalid}},
	}
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}
	binding.Spec = admissionv1.ValidatingAdmissionPolicyBindingSpec{
		PolicyName: policy.Name, ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny},
	}
	repeal = func() {
		for _, obj := range []client.Object{binding, policy} {
			_ = s.stage.Live.Delete(context.Background(), obj)
		}
	}
	s.Cleanup(repeal)
	s.create(policy)
	s.create(binding)
	// It reaches admission with a delay.
	s.await("the rule is in force", patience, func() (bool, any) {
		err := try()
		return err != nil && contains(err.Error(), r.message), err
	})
	return repeal
}

// freeze: nobody resumes the Deployment of a name in this namespace.
func (s *shop) freeze(name string) (thaw func()) {
	s.Helper()
	return s.enforce(rule{
		operation: admissionv1.Update, group: "apps", version: "v1", resource: "deployments", names: []string{name},
		expression: fmt.Sprintf("request.namespace != %q || has(object.spec.paused) && object.spec.paused", s.namespace),
		message:    "change freeze: nothing starts",
	}, func() error {
		d := &appsv1.Deployment{ObjectMeta: s.meta(name)}
		return s.stage.Live.Patch(s.Context(), d, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"labels":{"a":"b"}}}`)), client.DryRunAll)
	})
}

// refuseBackups: no Backup of this shop.
func (s *shop) refuseBackups() (allow func()) {
	s.Helper()
	return s.enforce(rule{
		operation: admissionv1.Create, group: "velero.io", version: "v1", resource: "backups",
		expression: fmt.Sprintf("object.metadata.?labels[?%q] != optional.of(%q)", v1alpha1.LabelNamespace, s.namespace),
		message:    "no backups today",
	}, func() error {
		b := velero.NewBackup(s.plan("shop"), s.backupID(1), "")
		b.Namespace = stage.VeleroNamespace
		return s.stage.Live.Create(s.Context(), b, client.DryRunAll)
	})
}

// backupID is that of the first rollout of version 2.
func (s *shop) backupID(attempt int32) velero.BackupID {
	s.Helper()
	system := &corev1.Namespace{}
	if err := s.stage.Live.Get(s.Context(), s.rootKey(metav1.NamespaceSystem), system); err != nil {
		s.Fatal(err)
	}
	return velero.BackupID{Cluster: string(system.UID), Namespace: s.namespace, Plan: "shop", Version: "2", Rollout: 1, Attempt: attempt}
}

// Only here: the text with which a policy of the cluster refuses a Backup.
func TestRefusedBackupIsTold(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	allow := s.refuseBackups()
	s.roll("web", "2")
	s.warns(s.awaitEvent("DRPlan", "shop", "BackupNotCreated"), "stays held", "no backups today")
	s.await("told on the release", patience, func() (bool, any) {
		c := s.awaitReady("shop-2", v1alpha1.ReasonBackupPending)
		return contains(c.Message, "does not exist yet: an event BackupNotCreated"), c.Message
	})
	s.mustBeHeld("web")
	allow()
	s.complete(s.awaitBackup("shop-2", 0))
	s.awaitStarted("web", "2")
	s.backupsAre(1)
}

// Only here: the API server refuses a name that is taken, and takes it when it is free.
// A Backup that somebody else made under our name lets nothing go, and is told of.
func TestBackupOfAnotherUnderOurNameLetsNothingGo(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	foreign := &velerov1.Backup{}
	foreign.Namespace, foreign.Name = stage.VeleroNamespace, s.backupID(1).Name()
	s.create(foreign)
	s.complete(foreign.Name)
	s.roll("web", "2")
	s.warns(s.awaitEvent("DRPlan", "shop", "BackupNotCreated"), foreign.Name, "that is not of this plan")
	s.mustBeHeld("web")
	s.delete(foreign)
	s.await("our own", patience, func() (bool, any) {
		b := &velerov1.Backup{}
		return s.see(b, client.ObjectKeyFromObject(foreign)) && b.Labels[v1alpha1.LabelNamespace] == s.namespace, b
	})
	s.complete(foreign.Name)
	s.awaitStarted("web", "2")
}

// Only here: the UID by which a cluster is told from others.
// Another cluster with the same manifests shares the bucket: Velero synchronizes its Backup of the same version of the
// same plan into this cluster, labels and all.
func TestPromise1_BackupOfAnotherClusterLetsNothingGo(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	id := s.backupID(1)
	id.Cluster = "elsewhere"
	foreign := velero.NewBackup(s.plan("shop"), id, "1")
	foreign.Namespace = stage.VeleroNamespace
	s.create(foreign)
	s.complete(foreign.Name)
	s.roll("web", "2")
	ours := s.awaitBackup("shop-2", 0)
	if ours == foreign.Name {
		t.Fatal("the backup of another cluster is taken for ours")
	}
	s.keepsFor(2*time.Second, "held", func() (bool, any) {
		d := s.workload("web")
		return d.Spec.Paused && s.current().Status.ProtectingBackup == nil, d
	})
	s.complete(ours)
	s.awaitStarted("web", "2")
}

// Only here: a policy of the cluster refuses the release of one workload for as long as it is there.
// One workload that admission refuses to release is told of, tried again, and keeps no other waiting.
func TestRefusedReleaseIsToldAndKeepsNoOtherWaiting(t *testing.T) {
	t.Parallel()
	s := emptyShop(t)
	for _, name := range []string{"api", "web"} {
		s.create(s.deployment(name, "1"))
	}
	s.create(s.plan("shop"))
	s.awaitSettled("shop")
	thaw := s.freeze("api")
	for _, name := range []string{"api", "web"} {
		s.roll(name, "2")
	}
	s.await("both recorded", patience, func() (bool, any) {
		r := &v1alpha1.AppRelease{}
		return s.see(r, s.key("shop-2")) && len(r.Status.Rollouts) == 1 && len(r.Status.Rollouts[0].Workloads) == 2, r
	})
	s.complete(s.awaitBackup("shop-2", 0))
	s.awaitStarted("web", "2")
	s.warns(s.awaitEvent("Deployment", "api", "AdmitRefused"), "cannot be released, and is tried again", "change freeze: nothing starts")
	s.mustBeHeld("api")
	thaw()
	s.awaitStarted("api", "2")
	s.awaitReady("shop-2", v1alpha1.ReasonRolledOut)
	s.backupsAre(1)
}
