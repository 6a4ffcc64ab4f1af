// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/cluster/devcluster"
)

// (h) Uninstalling Backstay releases what is held, and leaves nothing of it behind; with an operator that runs, and
// with one that is down.
func TestPromise7_UninstallReleasesWhatIsHeld(t *testing.T) {
	i, err := install(t.Context(), fmt.Sprintf("e2e-%d-uninstall", os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.remove(!t.Failed()) })
	// No backup is completed any more, so that only the removal can release anything.
	if err := i.cluster.StopProgram(t.Context(), devcluster.Velero); err != nil {
		t.Fatal(err)
	}

	const byScript = "the operator did not" // what the script says where it has to do the operator's work
	t.Run("operator running", func(t *testing.T) {
		if said := uninstallWhileHeld(t, i, func() {}); strings.Contains(said, byScript) {
			t.Errorf("the operator did not release what was held:\n%s", said)
		}
	})

	if err := i.apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	// It is another ServiceAccount than before.
	if err := i.cluster.StopProgram(t.Context(), operatorName); err != nil {
		t.Fatal(err)
	}
	if err := i.startOperator(t.Context(), operatorName); err != nil {
		t.Fatal(err)
	}
	t.Run("operator down", func(t *testing.T) {
		said := uninstallWhileHeld(t, i, func() {
			if err := i.cluster.KillProgram(t.Context(), operatorName, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		})
		if !strings.Contains(said, byScript) {
			t.Errorf("the script does not say that it released what was held:\n%s", said)
		}
	})
}

// uninstallWhileHeld holds two Deployments, one of which its user had paused before, and two StatefulSets, and uninstalls Backstay. It
// returns what the script said.
func uninstallWhileHeld(t *testing.T, i *installation, prepare func()) string {
	t.Helper()
	a := newApp(t, i, "overridden", "paused", "web")
	was := map[string]appsv1.StatefulSetUpdateStrategy{}
	for name, strategy := range map[string]string{"db": partition(1), "queue": `{"type":"RollingUpdate"}`} {
		a.deploySet(name, strategy)
		was[name] = live(a, &appsv1.StatefulSet{}, name).Spec.UpdateStrategy
		a.setImageOfSet(name, "1.5.0")
	}
	a.dev.run("rollout", "pause", "deployment/paused")
	a.setImage("paused", "1.5.0")
	a.setImage("web", "1.5.0")
	a.awaitHeld("db", "paused", "queue", "web")
	prepare()
	a.root.run("patch", "deployment", "overridden", "--patch", fmt.Sprintf(
		`{"metadata":{"annotations":{%q:"outage"}},"spec":{"template":{"spec":{"containers":[{"name":"overridden","image":%q}]}}}}`,
		v1alpha1.AnnotationOverride, image("overridden", "1.5.0")))

	cmd := exec.CommandContext(t.Context(), filepath.Join("hack", "undeploy.sh"))
	cmd.Dir = root()
	cmd.Env = append(os.Environ(), "KUBECONFIG="+i.cluster.Kubeconfig(), "KUBECTL="+i.cluster.Bin(devcluster.Kubectl),
		"OVERLAY="+overlay, "PATIENCE=5")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("hack/undeploy.sh: %v\n%s", err, out)
	}

	a.await("web runs the new version", func() error { return a.runs("web", "1.5.0") })
	if !live(a, &appsv1.Deployment{}, "paused").Spec.Paused {
		t.Error("the Deployment that its user had paused is not paused any more")
	}
	for name, strategy := range was {
		if diff := cmp.Diff(strategy, live(a, &appsv1.StatefulSet{}, name).Spec.UpdateStrategy); diff != "" {
			t.Errorf("the update strategy of %s (-was +is):\n%s", name, diff)
		}
	}
	a.await("queue runs the new version", func() error { return a.setRuns("queue", "1.5.0") })
	a.nothingIsLeft()
	return string(out)
}

// nothingIsLeft looks for anything of Backstay but its backups, which are Velero's.
func (a *app) nothingIsLeft() {
	a.t.Helper()
	kinds := "namespaces,customresourcedefinitions,clusterroles,clusterrolebindings,roles,rolebindings,serviceaccounts," +
		"mutatingadmissionpolicies,mutatingadmissionpolicybindings,validatingadmissionpolicies,validatingadmissionpolicybindings"
	for line := range strings.Lines(a.root.run("get", kinds, "--all-namespaces", "--no-headers", "-o",
		"custom-columns=KIND:.kind,NAMESPACE:.metadata.namespace,NAME:.metadata.name")) {
		if strings.Contains(line, "backstay") {
			a.t.Errorf("left behind: %s", line)
		}
	}
	workloads := a.root.run("get", "deployments,replicasets,statefulsets,controllerrevisions", "--all-namespaces", "--show-managed-fields=false", "-o", "yaml")
	for line := range strings.Lines(workloads) {
		// kubectl apply's own annotation quotes nothing of Backstay either.
		if strings.Contains(line, v1alpha1.GroupName) {
			a.t.Errorf("left on a workload: %s", line)
		}
	}
}
