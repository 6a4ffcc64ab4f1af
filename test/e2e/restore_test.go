// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/cluster/devcluster"
)

// (b) The backup that was taken before a rollout brings the version before it back: a backup taken after admission has
// the new template, paused, and the release knows which revision in the backup ran.
func TestPromise2_TheBackupBringsTheOldRevisionBack(t *testing.T) {
	t.Parallel()
	a := newApp(t, shared, "web", "worker")
	before := a.look("web", "worker")
	a.dev.feed(manifest(deployment("web", "1.5.0"), deployment("worker", "1.5.0")), "apply", "-f", "-")
	a.awaitStarted(before)
	a.protected(before)
	rollout := a.awaitOutcome("1.5.0", v1alpha1.OutcomeRolledOut)
	backup := a.backup(rollout.Backup.Name)
	if got := backup.Labels[v1alpha1.LabelVersion]; got != firstVersion {
		t.Errorf("the backup is labelled with version %q, want %s", got, firstVersion)
	}

	sandbox := newNamespace(t, shared)
	a.restoreInto(sandbox, backup.Name)
	for _, rec := range rollout.Workloads {
		restored := live(sandbox, &appsv1.Deployment{}, rec.Name)
		if got := restored.Spec.Template.Spec.Containers[0].Image; !restored.Spec.Paused || got != image(rec.Name, "1.5.0") {
			t.Errorf("restored %s asks for %s, paused %t: the test expects it as it was held", rec.Name, got, restored.Spec.Paused)
		}
	}
	sandbox.holdIsNobodys("worker", a.namespace)

	web := rollout.Workloads[0]
	sandbox.applyRevision(web)
	sandbox.await("the old revision runs in the sandbox", func() error { return sandbox.runs("web", firstVersion) })
	for _, name := range []string{"web", "worker"} {
		if !sandbox.everRan(sandbox.namespace, image(name, firstVersion)) {
			t.Errorf("no pod of %s ran in the sandbox", image(name, firstVersion))
		}
		if sandbox.everRan(sandbox.namespace, image(name, "1.5.0")) {
			t.Errorf("a pod of %s ran in the sandbox", image(name, "1.5.0"))
		}
	}
}

// The namespace is lost, and restored from the backup before the last rollout. Velero brings the Deployment, as it was held,
// before the plan that held it: the change that it was backed up against must not start by that.
func TestPromise1_LostNamespaceIsRestoredAsItWasHeld(t *testing.T) {
	t.Parallel()
	a := newApp(t, shared, "web")
	a.setImage("web", "1.5.0")
	backup := a.awaitOutcome("1.5.0", v1alpha1.OutcomeRolledOut).Backup.Name
	a.loseNamespace()

	r := &velerov1.Restore{}
	r.Namespace, r.Name = devcluster.VeleroNamespace, a.namespace
	r.Spec = velerov1.RestoreSpec{BackupName: backup, IncludedNamespaces: []string{a.namespace}}
	a.restore(r)
	// Velero looks for new kinds every few minutes only, and may not have the plan in its backup. Git has it.
	a.root.feed(plan(""), "apply", "-f", "-")

	a.await("the plan tells of it", func() error { return a.planSays(v1alpha1.ConditionReady, v1alpha1.ReasonRestored) })
	if err := a.held(live(a, &appsv1.Deployment{}, "web")); err != nil {
		t.Error(err)
	}
	if pods := a.root.run("get", "pods", "-o", "jsonpath={.items[*].spec.containers[*].image}"); strings.Contains(pods, image("web", "1.5.0")) {
		t.Errorf("what the backup was taken against runs: %s", pods)
	}
	a.root.run("set", "image", "deployment/web", "web="+image("web", firstVersion))
	a.await("the version before runs", func() error { return a.runs("web", firstVersion) })
	a.await("and all is well", func() error { return a.planSays(v1alpha1.ConditionReady, v1alpha1.ReasonReconciled) })
}

// loseNamespace deletes the namespace of the application, and waits until it is gone.
func (a *app) loseNamespace() {
	a.t.Helper()
	lost := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: a.namespace}}
	if err := a.admin.Delete(a.t.Context(), lost); err != nil {
		a.t.Fatal(err)
	}
	a.await("the namespace is gone", func() error {
		err := a.admin.Get(a.t.Context(), client.ObjectKeyFromObject(lost), lost)
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("it is %s, %w", lost.Status.Phase, err)
	})
}

// restoreInto has Velero restore the workloads of a backup into another namespace.
func (a *app) restoreInto(sandbox *app, backup string) {
	a.t.Helper()
	r := &velerov1.Restore{}
	r.Namespace, r.Name = devcluster.VeleroNamespace, sandbox.namespace
	r.Spec = velerov1.RestoreSpec{
		BackupName:         backup,
		IncludedNamespaces: []string{a.namespace},
		NamespaceMapping:   map[string]string{a.namespace: sandbox.namespace},
		IncludedResources:  []string{"deployments.apps", "replicasets.apps"},
	}
	if done := a.restore(r); done.Status.Warnings > 0 {
		a.t.Errorf("the restore has %d warnings", done.Status.Warnings)
	}
}

// restore has Velero carry a Restore out, and waits until it is Completed without an error.
func (a *app) restore(r *velerov1.Restore) (done *velerov1.Restore) {
	a.t.Helper()
	if err := a.admin.Create(a.t.Context(), r); err != nil {
		a.t.Fatal(err)
	}
	done = &velerov1.Restore{}
	a.await("the restore is Completed", func() error {
		if err := a.watched.Get(a.t.Context(), client.ObjectKeyFromObject(r), done); err != nil {
			return err
		}
		if done.Status.Phase != velerov1.RestorePhaseCompleted || done.Status.Errors > 0 {
			return fmt.Errorf("it is %q with %d errors", done.Status.Phase, done.Status.Errors)
		}
		return nil
	})
	return done
}

// holdIsNobodys checks that the operator leaves a workload alone that carries the mark of another namespace's hold,
// even where a plan selects it.
func (a *app) holdIsNobodys(name, origin string) {
	a.t.Helper()
	a.dev.feed(plan(""), "apply", "-f", "-")
	a.await("the operator has looked at the restored workloads", func() error {
		if n := len(a.plan().Status.Workloads); n != 2 {
			return fmt.Errorf("the plan lists %d", n)
		}
		return a.planSays(v1alpha1.ConditionReady, v1alpha1.ReasonReconciled)
	})
	d := live(a, &appsv1.Deployment{}, name)
	if mark := d.Annotations[v1alpha1.AnnotationHeldBy]; !d.Spec.Paused || mark != origin+"/"+planName {
		a.t.Errorf("restored %s: paused %t, mark %q: somebody took the hold for a hold of this namespace", name, d.Spec.Paused, mark)
	}
	if p := a.plan(); p.Status.HeldCount != 0 || len(a.releases()) > 0 {
		a.t.Errorf("the plan of the sandbox says that %d are held, and has releases %v", p.Status.HeldCount, a.releases())
	}
	a.dev.run("delete", "drplan", planName)
}

// applyRevision puts the revision that ran before a rollout back: the pod template of the ReplicaSet that the release
// names, which the restore has brought along.
func (a *app) applyRevision(rec v1alpha1.RolloutWorkload) {
	a.t.Helper()
	template := live(a, &appsv1.ReplicaSet{}, rec.PreviousRevision).Spec.Template
	delete(template.Labels, appsv1.DefaultDeploymentUniqueLabelKey)
	body, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"annotations": map[string]any{v1alpha1.AnnotationHeldBy: nil}},
		"spec":     map[string]any{"paused": nil, "template": corev1.PodTemplateSpec{ObjectMeta: template.ObjectMeta, Spec: template.Spec}},
	})
	if err != nil {
		a.t.Fatal(err)
	}
	a.root.run("patch", "deployment", rec.Name, "--type", "merge", "--patch", string(body))
}
