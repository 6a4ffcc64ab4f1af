// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"testing"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
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
	if err := a.admin.Create(a.t.Context(), r); err != nil {
		a.t.Fatal(err)
	}
	a.await("the restore is Completed", func() error {
		got := &velerov1.Restore{}
		if err := a.watched.Get(a.t.Context(), client.ObjectKeyFromObject(r), got); err != nil {
			return err
		}
		if got.Status.Phase != velerov1.RestorePhaseCompleted || got.Status.Errors > 0 || got.Status.Warnings > 0 {
			return fmt.Errorf("it is %q with %d errors and %d warnings", got.Status.Phase, got.Status.Errors, got.Status.Warnings)
		}
		return nil
	})
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
