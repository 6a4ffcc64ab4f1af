// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package stage sets a control plane up for the operator: Velero's kinds, the policies, the operator itself under its
// own identity, and actors in the parts of those who do not run here. The Deployment controller is played by a
// controller; Velero is played by whoever calls Pass and Complete.
package stage

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/go-logr/logr"
	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/backstay-dr/backstay/controllers"
	"github.com/backstay-dr/backstay/test/integration/harness"
)

// VeleroNamespace is where Velero would run.
const VeleroNamespace = "velero"

// DefaultLocation is the storage location that Velero uses when a Backup names none.
const DefaultLocation = "default"

// Stage is a control plane on which the operator can run.
type Stage struct {
	*harness.ControlPlane

	// Live acts as an administrator, and knows every kind that the operator knows.
	Live client.Client

	// Seen reads what an administrator's watches have shown so far. It costs the API server nothing to ask again and
	// again.
	Seen client.Reader

	// withoutRollouts: nobody plays the Deployment controller.
	withoutRollouts bool
}

// Options of a stage.
type Options struct {
	// WithoutGate leaves the admission policies out.
	WithoutGate bool

	// WithoutRollouts leaves out whoever plays the Deployment controller.
	WithoutRollouts bool
}

// Set sets a control plane up. What it starts ends with the context.
func Set(ctx context.Context, cp *harness.ControlPlane, options Options) (*Stage, error) {
	ctrl.SetLogger(logr.Discard())
	s := &Stage{ControlPlane: cp, withoutRollouts: options.WithoutRollouts}
	var err error
	if s.Live, err = client.New(cp.Admin, client.Options{Scheme: controllers.Scheme()}); err != nil {
		return nil, err
	}
	if err := s.installVelero(ctx); err != nil {
		return nil, err
	}
	if !options.WithoutGate {
		if err := cp.InstallGate(ctx); err != nil {
			return nil, err
		}
	}
	return s, s.startActors(ctx, options)
}

// installVelero installs Velero's kinds, and a default storage location that is Available.
func (s *Stage) installVelero(ctx context.Context) error {
	bases, err := veleroCRDs(ctx)
	if err != nil {
		return err
	}
	if _, err := envtest.InstallCRDs(s.Admin, envtest.CRDInstallOptions{
		Scheme: controllers.Scheme(), ErrorIfPathMissing: true,
		Paths: []string{filepath.Join(bases, "velero.io_backups.yaml"), filepath.Join(bases, "velero.io_backupstoragelocations.yaml")},
	}); err != nil {
		return fmt.Errorf("install Velero's CRDs: %w", err)
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: VeleroNamespace}}
	if err := client.IgnoreAlreadyExists(s.Live.Create(ctx, namespace)); err != nil {
		return err
	}
	location := Location(DefaultLocation)
	location.Spec.Default = true
	return s.Live.Create(ctx, location)
}

// veleroCRDs is the folder with the CRDs of the very version of Velero whose API types the operator is built with.
func veleroCRDs(ctx context.Context) (string, error) {
	list := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/vmware-tanzu/velero")
	list.Dir = harness.Path()
	out, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("find Velero's module: %w", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "config", "crd", "v1", "bases"), nil
}

// startActors starts the watches of Seen, and the part of the Deployment controller.
func (s *Stage) startActors(ctx context.Context, options Options) error {
	yes := true
	mgr, err := ctrl.NewManager(s.Admin, ctrl.Options{
		Scheme: controllers.Scheme(), Metrics: metricsserver.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: &yes},
	})
	if err != nil {
		return err
	}
	s.Seen = mgr.GetClient()
	if !options.WithoutRollouts {
		err = ctrl.NewControllerManagedBy(mgr).Named("deployment").For(&appsv1.Deployment{}).Owns(&appsv1.ReplicaSet{}).
			WithOptions(controller.Options{MaxConcurrentReconciles: hands}).Complete(&rollouts{client: mgr.GetClient()})
		if err != nil {
			return err
		}
	}
	go func() {
		if err := mgr.Start(ctx); err != nil {
			panic(err) // nothing can be tested without it
		}
	}()
	if !mgr.GetCache().WaitForCacheSync(ctx) {
		return ctx.Err()
	}
	return nil
}

// Location is a storage location that is Available, to be created.
func Location(name string) *velerov1.BackupStorageLocation {
	l := &velerov1.BackupStorageLocation{}
	l.Namespace, l.Name = VeleroNamespace, name
	l.Spec.Provider = "aws"
	l.Spec.ObjectStorage = &velerov1.ObjectStorageLocation{Bucket: "backups"}
	l.Status.Phase = velerov1.BackupStorageLocationPhaseAvailable
	return l
}
