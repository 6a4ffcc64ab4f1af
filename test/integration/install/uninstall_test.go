// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"

	"github.com/backstay-dr/backstay/test/integration/harness"
)

// held is a Deployment as an operator that is gone left it.
const held = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations: {dr.backstay.dev/held-by: default/shop, dr.backstay.dev/overridden-by: somebody}
spec:
  paused: true
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web}]}
`

// finalize plays the namespace controller: it lets a namespace go that is being deleted.
func finalize(ctx context.Context, cp *harness.ControlPlane, name string) {
	namespaces := kubernetes.NewForConfigOrDie(cp.Admin).CoreV1().Namespaces()
	events, err := namespaces.Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + name})
	if err != nil {
		return // the test is over
	}
	for event := range events.ResultChan() {
		if ns, ok := event.Object.(*corev1.Namespace); ok && ns.DeletionTimestamp != nil {
			// There is one such event: what changed in between must not be the end of it.
			_ = retry.RetryOnConflict(retry.DefaultRetry, func() error {
				latest, err := namespaces.Get(ctx, name, metav1.GetOptions{})
				if err != nil {
					return err
				}
				latest.Spec.Finalizers = nil
				_, err = namespaces.Finalize(ctx, latest, metav1.UpdateOptions{})
				return err
			})
		}
	}
}

// A cluster before Kubernetes 1.36 serves only some of the policies. Whoever applied them all the same gets rid of them, and
// of everything else.
func TestUninstallFromAClusterBeforeKubernetes136(t *testing.T) {
	cp := harness.StartForTest(t, harness.Options{WithoutCRDs: true, APIServerFlags: harness.WithoutMutatingPolicies()})
	kubectl := cp.Kubectl(t, cp.Admin, "default")
	kubectl.Run("create", "namespace", "velero")
	if applied := kubectl.Try("", "apply", "--server-side", "-k", harness.Path("config", "default")); !strings.Contains(applied.Stderr, "no matches for kind") {
		t.Fatalf("the test expects a cluster that does not serve every kind: %s", applied.Stderr)
	}
	kubectl.RunWith(held, "apply", "-f", "-")
	go finalize(t.Context(), cp, "backstay-system")

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, harness.Path("hack", "undeploy.sh"))
	cmd.Env = append(os.Environ(), "KUBECONFIG="+harness.Kubeconfig(t, cp.Admin, "default"),
		"KUBECTL="+filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"), "PATIENCE=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}

	const kinds = "namespaces,crds,clusterroles,clusterrolebindings,roles,rolebindings,serviceaccounts,deployments," +
		"validatingadmissionpolicies,validatingadmissionpolicybindings"
	for line := range strings.Lines(kubectl.Run("get", kinds, "--all-namespaces", "--no-headers", "-o", "custom-columns=KIND:.kind,NAME:.metadata.name").Stdout) {
		if strings.Contains(line, "backstay") {
			t.Errorf("left behind: %s", line)
		}
	}
	if web := kubectl.Run("get", "deployment", "web", "-o", "yaml").Stdout; strings.Contains(web, "paused: true") || strings.Contains(web, "  dr.backstay.dev/") {
		t.Errorf("left on the workload:\n%s", web)
	}
}
