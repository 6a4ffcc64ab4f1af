// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	appsv1 "k8s.io/api/apps/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/cluster/devcluster"
)

// (g) Whoever may edit one namespace, plans and releases included, gains nothing outside it.
func TestPromise6_TenantGainsNothingOutsideItsNamespace(t *testing.T) {
	t.Parallel()
	victim := newApp(t, shared, "web")
	tenant := newApp(t, shared, "web")
	mallory := tenant.dev

	t.Run("read", func(t *testing.T) {
		for _, what := range []string{"drplans", "appreleases", "deployments"} {
			tenant.on(t).dev.in(victim.namespace).refused([]string{"forbidden"}, "", "get", what)
		}
		for _, what := range []string{"backups", "backupstoragelocations"} {
			tenant.on(t).dev.in(devcluster.VeleroNamespace).refused([]string{"forbidden"}, "", "get", what)
		}
	})
	t.Run("write", func(t *testing.T) {
		dev := tenant.on(t).dev
		dev.in(victim.namespace).refused([]string{"forbidden"}, plan(""), "create", "-f", "-")
		dev.in(victim.namespace).refused([]string{"forbidden"}, release("9.9.9", "Deploy"), "create", "-f", "-")
		dev.in(devcluster.VeleroNamespace).refused([]string{"forbidden"}, `
apiVersion: velero.io/v1
kind: Backup
metadata: {name: theft}
spec: {includedNamespaces: ["`+victim.namespace+`"]}`, "create", "-f", "-")
	})
	t.Run("forge a status", func(t *testing.T) {
		tenant.on(t).dev.refused([]string{"forbidden"}, "", "patch", "drplan", planName, "--subresource=status",
			"--type=merge", "--patch", `{"status":{"versions":{"proven":"9.9.9"}}}`)
	})
	t.Run("override", func(t *testing.T) {
		tenant.on(t).dev.refused([]string{"may not override", "counts from a ServiceAccount only where"}, "", "patch", "deployment", "web", "--patch",
			fmt.Sprintf(`{"metadata":{"annotations":{%q:"because"}},"spec":{"template":{"spec":{"terminationGracePeriodSeconds":1}}}}`,
				v1alpha1.AnnotationOverride))
	})
	t.Run("a mark of another namespace's plan is no hold", func(t *testing.T) {
		a := tenant.on(t)
		d := deployment("decoy", firstVersion)
		d.Annotations = map[string]string{v1alpha1.AnnotationHeldBy: victim.namespace + "/" + planName}
		d.Spec.Paused = true
		a.dev.feed(manifest(d), "apply", "-f", "-")
		a.await("the plan knows the decoy", func() error { return a.lists("decoy") })
		if held := a.plan().Status.Held; len(held) > 0 {
			t.Errorf("the tenant's plan lists %v as held", held)
		}
	})
	t.Run("a storage location that does not admit it", func(t *testing.T) { tenant.on(t).useForeignLocation() })
	t.Run("a release of another namespace's plan", func(t *testing.T) {
		a := newNamespace(t, shared)
		a.dev.feed(release("9.9.9", "Deploy"), "create", "-f", "-")
		a.await("it finds no plan", func() error {
			return a.releaseSays("9.9.9", v1alpha1.ConditionReady, v1alpha1.ReasonPlanNotFound)
		})
	})

	// The tenant's plan selects by labels that the victim's workloads carry too. It holds, counts and backs up its own.
	before := tenant.look("web")
	mallory.run("set", "image", "deployment/web", "web="+image("web", "1.5.0"))
	tenant.awaitStarted(before)
	tenant.protected(before)
	for _, b := range tenant.backups() {
		if want := []string{tenant.namespace}; !slices.Equal(b.Spec.IncludedNamespaces, want) || b.Spec.IncludeClusterResources != nil && *b.Spec.IncludeClusterResources {
			t.Errorf("backup %s includes namespaces %v, cluster resources %v", b.Name, b.Spec.IncludedNamespaces, b.Spec.IncludeClusterResources)
		}
	}
	victim.untouched()
}

// useForeignLocation has the tenant's plan ask for a location that its administrator has given to nobody.
func (a *app) useForeignLocation() {
	a.t.Helper()
	location := &velerov1.BackupStorageLocation{}
	location.Namespace, location.Name = devcluster.VeleroNamespace, "of-others"
	location.Spec.Provider = "aws"
	location.Spec.ObjectStorage = &velerov1.ObjectStorageLocation{Bucket: "of-others"}
	if err := a.admin.Create(a.t.Context(), location); err != nil {
		a.t.Fatal(err)
	}
	b := newNamespace(a.t, a.installation)
	b.dev.feed(plan("  backup: {storageLocation: of-others}\n"), "apply", "-f", "-")
	b.deploy(firstVersion, "web")
	b.dev.feed(release("9.9.9", "Deploy"), "create", "-f", "-")
	b.await("the release is told so", func() error {
		if err := b.releaseSays("9.9.9", v1alpha1.ConditionReady, v1alpha1.ReasonStorageLocationUnavailable); err != nil {
			return err
		}
		message := readyMessage(b.release("9.9.9"))
		if !strings.Contains(message, "that admits namespace "+b.namespace) {
			return fmt.Errorf("its message is %q", message)
		}
		return nil
	})
	if backups := b.backups(); len(backups) > 0 {
		a.t.Errorf("there is a backup %s", backups[0].Name)
	}
}

// untouched checks that nothing has happened to an application.
func (a *app) untouched() {
	a.t.Helper()
	d := live(a, &appsv1.Deployment{}, "web")
	if _, marked := d.Annotations[v1alpha1.AnnotationHeldBy]; marked || d.Spec.Paused || d.Generation != 1 {
		a.t.Errorf("the victim's web: generation %d, paused %t, annotations %v", d.Generation, d.Spec.Paused, d.Annotations)
	}
	if backups := a.backups(); len(backups) > 0 || len(a.releases()) > 0 {
		a.t.Errorf("the victim has %d backups and releases %v", len(backups), a.releases())
	}
	if held := a.plan().Status.HeldCount; held > 0 {
		a.t.Errorf("the victim's plan says that %d workloads are held", held)
	}
}

// lists says why the plan's status does not list a workload.
func (a *app) lists(name string) error {
	workloads := a.plan().Status.Workloads
	if !slices.ContainsFunc(workloads, func(w v1alpha1.PlanWorkload) bool { return w.Name == name }) {
		return fmt.Errorf("it lists %v", workloads)
	}
	return nil
}
