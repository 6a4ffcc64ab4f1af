// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package clustertest

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/test/cluster/devcluster"
)

const shop = "shop"

// TestClusterWithEverything uses one whole cluster for all that only a whole cluster can show.
func TestClusterWithEverything(t *testing.T) {
	cluster := start(t, devcluster.Options{Nodes: 3})
	objects := newClient(t, cluster.RESTConfig())
	t.Run("everything is ready", func(t *testing.T) { testReady(t, cluster, objects) })
	t.Run("pods come and go", func(t *testing.T) { testPods(t, objects) })
	t.Run("backups and restores complete", func(t *testing.T) { testBackup(t, cluster, objects) })
	t.Run("Velero stops and starts", func(t *testing.T) { testVeleroRestart(t, cluster, objects) })
	t.Run("a storage outage shows", func(t *testing.T) { testStorageOutage(t, cluster, objects) })
	t.Run("service accounts have their own rights only", func(t *testing.T) { testServiceAccount(t, cluster) })
	t.Run("another cluster runs beside it", func(t *testing.T) { testSideBySide(t, cluster) })
	t.Run("nothing is left", func(t *testing.T) { testDown(t, cluster) })
}

func newClient(t *testing.T, config *rest.Config) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	builder := runtime.NewSchemeBuilder(corev1.AddToScheme, appsv1.AddToScheme, velerov1.AddToScheme)
	if err := builder.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	objects, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

func create(t *testing.T, objects client.Client, object client.Object) {
	t.Helper()
	if err := objects.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
}

// await reads an object until it is as it should be.
func await(t *testing.T, objects client.Client, object client.Object, what string, holds func() bool) {
	t.Helper()
	eventually(t, what, func() bool {
		err := objects.Get(t.Context(), client.ObjectKeyFromObject(object), object)
		return client.IgnoreNotFound(err) == nil && err == nil && holds()
	})
}

func testReady(t *testing.T, cluster *devcluster.Cluster, objects client.Client) {
	for _, program := range cluster.Status().Programs {
		if program.State != "Ready" || program.PID == 0 || program.Port == 0 {
			t.Errorf("%+v", program)
		}
	}
	if got := len(cluster.Status().Programs); got != 7 {
		t.Errorf("%d programs, want 7", got)
	}
	var nodes corev1.NodeList
	if err := objects.List(t.Context(), &nodes); err != nil || len(nodes.Items) != 3 {
		t.Errorf("%d nodes, error %v; want 3", len(nodes.Items), err)
	}
	if location := storageLocation(t, objects); location.Status.Phase != velerov1.BackupStorageLocationPhaseAvailable {
		t.Errorf("storage location is %s", location.Status.Phase)
	}
	if info, err := os.Stat(cluster.Kubeconfig()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("kubeconfig: %v, error %v; want that only its owner may read it", info, err)
	}
}

func storageLocation(t *testing.T, objects client.Client) *velerov1.BackupStorageLocation {
	t.Helper()
	location := &velerov1.BackupStorageLocation{}
	key := client.ObjectKey{Namespace: devcluster.VeleroNamespace, Name: "default"}
	if err := objects.Get(t.Context(), key, location); err != nil {
		t.Fatal(err)
	}
	return location
}

func deployment() *appsv1.Deployment {
	replicas, labels := int32(3), map[string]string{"app": "web"}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: shop, Name: "web"},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "example.com/web:1.0.0"}}},
			},
		},
	}
}

func testPods(t *testing.T, objects client.Client) {
	create(t, objects, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: shop}})
	web := deployment()
	create(t, objects, web)
	await(t, objects, web, "all pods are available", func() bool { return web.Status.AvailableReplicas == 3 })

	var pods corev1.PodList
	if err := objects.List(t.Context(), &pods, client.InNamespace(shop)); err != nil || len(pods.Items) != 3 {
		t.Fatalf("%d pods, error %v", len(pods.Items), err)
	}
	if err := objects.Delete(t.Context(), &pods.Items[0]); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a deleted pod vanishes", func() bool {
		return apierrors.IsNotFound(objects.Get(t.Context(), client.ObjectKeyFromObject(&pods.Items[0]), &corev1.Pod{}))
	})
	await(t, objects, web, "it is replaced", func() bool { return web.Status.AvailableReplicas == 3 })
}

func newBackup(name, namespace string) *velerov1.Backup {
	return &velerov1.Backup{
		ObjectMeta: metav1.ObjectMeta{Namespace: devcluster.VeleroNamespace, Name: name},
		Spec:       velerov1.BackupSpec{IncludedNamespaces: []string{namespace}},
	}
}

func testBackup(t *testing.T, cluster *devcluster.Cluster, objects client.Client) {
	backup := newBackup("first", shop)
	create(t, objects, backup)
	await(t, objects, backup, "the backup completes", func() bool { return backup.Status.Phase == velerov1.BackupPhaseCompleted })
	file := filepath.Join(cluster.BucketFolder(), "backups", "first", "first.tar.gz")
	if info, err := os.Stat(file); err != nil || info.Size() == 0 {
		t.Errorf("the bucket does not hold it: %v, error %v", info, err)
	}
	restore := &velerov1.Restore{
		ObjectMeta: metav1.ObjectMeta{Namespace: devcluster.VeleroNamespace, Name: "first"},
		Spec: velerov1.RestoreSpec{
			BackupName: "first", IncludedNamespaces: []string{shop}, NamespaceMapping: map[string]string{shop: "copy"},
		},
	}
	create(t, objects, restore)
	await(t, objects, restore, "the restore completes", func() bool { return restore.Status.Phase == velerov1.RestorePhaseCompleted })
	copied := deployment()
	copied.Namespace = "copy"
	await(t, objects, copied, "the copy runs", func() bool { return copied.Status.AvailableReplicas == 3 })
}

func testVeleroRestart(t *testing.T, cluster *devcluster.Cluster, objects client.Client) {
	if err := cluster.StopProgram(t.Context(), devcluster.Velero); err != nil {
		t.Fatal(err)
	}
	backup := newBackup("while-stopped", shop)
	create(t, objects, backup)
	if s, _ := cluster.Status().Program(devcluster.Velero); s.State != "Stopped" || cluster.Status().Phase != "Ready" {
		t.Errorf("Velero: %+v, cluster: %s; want that its stop was meant", s, cluster.Status().Phase)
	}
	if err := cluster.StartProgram(t.Context(), devcluster.Velero); err != nil {
		t.Fatal(err)
	}
	await(t, objects, backup, "the backup completes", func() bool { return backup.Status.Phase == velerov1.BackupPhaseCompleted })
	if !backup.Status.StartTimestamp.After(backup.CreationTimestamp.Add(-time.Second)) {
		t.Errorf("begun %s, created %s", backup.Status.StartTimestamp, backup.CreationTimestamp)
	}
}

func testStorageOutage(t *testing.T, cluster *devcluster.Cluster, objects client.Client) {
	becomes := func(phase velerov1.BackupStorageLocationPhase) {
		t.Helper()
		eventually(t, "the storage location is "+string(phase), func() bool { return storageLocation(t, objects).Status.Phase == phase })
	}
	if err := cluster.StopProgram(t.Context(), devcluster.ObjectStorage); err != nil {
		t.Fatal(err)
	}
	becomes(velerov1.BackupStorageLocationPhaseUnavailable)
	if err := cluster.StartProgram(t.Context(), devcluster.ObjectStorage); err != nil {
		t.Fatal(err)
	}
	becomes(velerov1.BackupStorageLocationPhaseAvailable)
}

func testServiceAccount(t *testing.T, cluster *devcluster.Cluster) {
	file, err := cluster.ServiceAccountKubeconfig(t.Context(), shop, "default")
	if err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", file)
	if err != nil {
		t.Fatal(err)
	}
	err = newClient(t, config).List(t.Context(), &corev1.PodList{}, client.InNamespace(shop))
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "system:serviceaccount:shop:default") {
		t.Errorf("error %v, want that the account may not", err)
	}
}

func testSideBySide(t *testing.T, cluster *devcluster.Cluster) {
	// With a Velero of its own: that has a habit of listening where it was not told to.
	second := start(t, devcluster.Options{Without: []string{devcluster.ControllerManager, devcluster.Scheduler, devcluster.Kwok}})
	defer second.Down()
	taken := map[int]bool{}
	for _, program := range append(cluster.Status().Programs, second.Status().Programs...) {
		if taken[program.Port] {
			t.Errorf("port %d is used twice", program.Port)
		}
		taken[program.Port] = true
	}
	namespaces := func(c *devcluster.Cluster) []string {
		var list corev1.NamespaceList
		if err := newClient(t, c.RESTConfig()).List(t.Context(), &list); err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, namespace := range list.Items {
			found = append(found, namespace.Name)
		}
		return found
	}
	for _, c := range []*devcluster.Cluster{cluster, second} {
		objects, backup := newClient(t, c.RESTConfig()), newBackup("side-by-side", metav1.NamespaceDefault)
		create(t, objects, backup)
		await(t, objects, backup, "the backup completes", func() bool { return backup.Status.Phase == velerov1.BackupPhaseCompleted })
		if err := c.Err(); err != nil {
			t.Error(err)
		}
	}
	if !slices.Contains(namespaces(cluster), shop) || slices.Contains(namespaces(second), shop) {
		t.Error("the clusters are not two")
	}
}

func testDown(t *testing.T, cluster *devcluster.Cluster) {
	if len(processesOf(t, cluster.Folder())) < 7 {
		t.Error("its processes cannot be found, so that nothing can be said of them later")
	}
	began := time.Now()
	if err := devcluster.Down(context.Background(), devcluster.DefaultName, cluster.Folder()); err != nil {
		t.Fatal(err)
	}
	if err := cluster.Err(); err != nil {
		t.Errorf("it did not stop well: %v", err)
	}
	if left := processesOf(t, cluster.Folder()); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
	mustNotExist(t, cluster.Folder(), "etcd", "pki", "kubeconfig", "identities", "velero", "storage", "tmp")
	t.Logf("down after %s", time.Since(began).Round(time.Millisecond))
}
