// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/actuate"
	"github.com/backstay-dr/backstay/internal/gate"
	"github.com/backstay-dr/backstay/internal/observe"
	"github.com/backstay-dr/backstay/internal/telemetry"
)

// Options are the settings of the operator.
type Options struct {
	// VeleroNamespace is where Velero runs.
	VeleroNamespace string

	// Workers is how many plans are worked on at the same time.
	Workers int

	// Manager is handed on to controller-runtime; its Scheme and Cache are set here.
	Manager ctrl.Options

	// Metrics is where metrics are registered; controller-runtime's registry by default.
	Metrics metrics.RegistererGatherer
}

// Scheme knows every kind that the operator reads or writes.
func Scheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	utilruntime.Must(velerov1.AddToScheme(scheme))
	return scheme
}

// NewManager assembles the operator: cache, indexes, controllers.
func NewManager(ctx context.Context, cfg *rest.Config, opts Options) (ctrl.Manager, error) {
	cfg = rest.CopyConfig(cfg)
	// API priority and fairness protects the API server; a limit of our own would only delay releases.
	cfg.QPS = -1
	// The warnings that our own writes and probes meet are those of our own policies.
	cfg.WarningHandler = rest.NoWarnings{}
	clients, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	identity, err := whoAmI(ctx, clients)
	if err != nil {
		return nil, err
	}
	cluster, err := clusterID(ctx, clients)
	if err != nil {
		return nil, err
	}
	mgr, err := ctrl.NewManager(cfg, managerOptions(opts, identity, cluster))
	if err != nil {
		return nil, err
	}
	if err := veleroInstalled(mgr.GetRESTMapper()); err != nil {
		return nil, err
	}
	if err := observe.Index(ctx, mgr.GetFieldIndexer()); err != nil {
		return nil, err
	}
	gateReader, err := newGateReader(mgr, identity)
	if err != nil {
		return nil, err
	}
	registry := opts.Metrics
	if registry == nil {
		registry = metrics.Registry
	}
	counters, err := telemetry.NewMetrics(registry, mgr.GetClient())
	if err != nil {
		return nil, err
	}
	observer := &observe.Observer{Reader: mgr.GetClient(), Cluster: cluster, VeleroNamespace: opts.VeleroNamespace, Now: time.Now}
	actuator := &actuate.Actuator{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), VeleroNamespace: opts.VeleroNamespace,
		Events: telemetry.Events{Recorder: mgr.GetEventRecorder("backstay")}, Metrics: counters, Now: time.Now,
	}
	silence := newSilenceWatch(mgr.GetCache(), observer)
	if err := mgr.Add(silence); err != nil {
		return nil, err
	}
	plans := NewDRPlanReconciler(observer, actuator, gateReader)
	return mgr, plans.setupWithManager(mgr, opts.Workers, gateReader, silence)
}

// managerOptions completes what the caller set. The lease of the leader election is kept where the operator runs.
func managerOptions(opts Options, identity gate.Identity, cluster string) ctrl.Options {
	velero := cache.ByObject{Namespaces: map[string]cache.Config{opts.VeleroNamespace: {}}}
	backups := velero
	// Velero's namespace holds many more: of schedules, of people, and of other clusters that share the bucket.
	backups.Label = labels.SelectorFromSet(labels.Set{v1alpha1.LabelCluster: cluster})
	out := opts.Manager
	out.Scheme = Scheme()
	out.LeaderElectionNamespace = identity.Namespace
	out.Cache = cache.Options{
		DefaultTransform: observe.Slim,
		ByObject: map[client.Object]cache.ByObject{
			&velerov1.Backup{}:                backups,
			&velerov1.BackupStorageLocation{}: velero,
		},
	}
	return out
}

// whoAmI asks the API server for the operator's own identity: the policies exempt nobody else.
func whoAmI(ctx context.Context, clients kubernetes.Interface) (gate.Identity, error) {
	reviews := clients.AuthenticationV1().SelfSubjectReviews()
	review, err := reviews.Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return gate.Identity{}, fmt.Errorf("ask the API server who the operator is: %w", err)
	}
	username := review.Status.UserInfo.Username
	identity, ok := gate.ParseUsername(username)
	if !ok {
		return gate.Identity{}, fmt.Errorf("the operator runs as %q: it must run under a ServiceAccount, "+
			"since the admission policies let nobody else release a hold", username)
	}
	return identity, nil
}

// clusterID is the UID of the namespace kube-system: it exists in every cluster, from its beginning on, and nobody can delete it.
func clusterID(ctx context.Context, clients kubernetes.Interface) (string, error) {
	system, err := clients.CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
	if err != nil {
		return "", fmt.Errorf("find out which cluster this is: %w", err)
	}
	return string(system.UID), nil
}

// veleroInstalled says in one line what would otherwise show as a cache that never synchronizes.
func veleroInstalled(mapper meta.RESTMapper) error {
	_, err := mapper.RESTMapping(velerov1.SchemeGroupVersion.WithKind("Backup").GroupKind(), velerov1.SchemeGroupVersion.Version)
	if meta.IsNoMatchError(err) {
		return errors.New("the cluster does not know the kind Backup of velero.io/v1: install Velero first (https://velero.io/docs)")
	}
	return err
}
