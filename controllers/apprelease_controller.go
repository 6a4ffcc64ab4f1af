// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package controllers connects what happens in the cluster with what is decided: observe, decide, act.
package controllers

import (
	"context"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/actuate"
	"github.com/backstay-dr/backstay/internal/observe"
	"github.com/backstay-dr/backstay/internal/plan"
)

// +kubebuilder:rbac:groups=dr.backstay.dev,resources=drplans,verbs=get;list;watch
// +kubebuilder:rbac:groups=dr.backstay.dev,resources=appreleases,verbs=get;list;watch;create;delete
// +kubebuilder:rbac:groups=dr.backstay.dev,resources=appreleases/status,verbs=update
// +kubebuilder:rbac:groups=apps,resources=deployments,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=apps,resources=replicasets,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch
// +kubebuilder:rbac:groups=velero.io,namespace=velero,resources=backups,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=velero.io,namespace=velero,resources=backupstoragelocations,verbs=get;list;watch

// AppReleaseReconciler drives the rollouts of a plan's releases: it finds held workloads, has the backup taken, and
// lets them go. Its requests name plans, since a decision about one release depends on all releases of the plan.
type AppReleaseReconciler struct {
	Observer *observe.Observer
	Actuator *actuate.Actuator

	putOff putOffs
}

// Reconcile decides about the releases of one plan and carries that out.
func (r *AppReleaseReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	in, err := r.Observer.Plan(ctx, req.NamespacedName)
	if err != nil {
		return ctrl.Result{}, err
	}
	if r.Actuator.Behind(in) {
		return ctrl.Result{RequeueAfter: staleAfter}, nil
	}
	r.Actuator.Complete(ctx, in)
	d := plan.Decide(in)
	if more := r.putOff.more(req.NamespacedName, d.Passing, in.Now); more > 0 {
		return ctrl.Result{RequeueAfter: more}, nil
	}
	return result(ctx, d.RequeueAfter, r.Actuator.Apply(ctx, in, d))
}

// staleAfter is when to look again where the cache is behind what was written: it has it by then.
const staleAfter = 10 * time.Millisecond

// result maps the error of a write to what follows. A conflict means that the decision was made on old news, which is
// no fault; a namespace that goes away needs no decision any more.
func result(ctx context.Context, after time.Duration, err error) (ctrl.Result, error) {
	switch {
	case err == nil:
		return ctrl.Result{RequeueAfter: after}, nil
	case apierrors.IsConflict(err):
		log.FromContext(ctx).V(1).Info("Stale cache, requeueing", "cause", err.Error())
		return ctrl.Result{RequeueAfter: staleAfter}, nil
	case actuate.Terminating(err):
		return ctrl.Result{}, nil
	case after > 0 && after < latestRetry:
		log.FromContext(ctx).Error(err, "Tried again when something else is due")
		return ctrl.Result{RequeueAfter: after}, nil
	default:
		return ctrl.Result{}, err
	}
}

// What is refused is tried again after a while that doubles up to latestRetry, whatever the reason: a deadline may be due.
const (
	firstRetry  = 5 * time.Millisecond
	latestRetry = 10 * time.Second
)

// options of both controllers.
func options(workers int) controller.Options {
	return controller.Options{
		MaxConcurrentReconciles: workers,
		RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[ctrl.Request](firstRetry, latestRetry),
	}
}

// planFirst is how long a workload that nothing holds, or the ReplicaSet that it starts, waits for its release's record: what
// people look at is the plan, whose status would otherwise compete with it.
const planFirst = 30 * time.Millisecond

// SetupWithManager registers the controller and its watches.
func (r *AppReleaseReconciler) SetupWithManager(mgr ctrl.Manager, workers int) error {
	m := mapper{r.Observer}
	return ctrl.NewControllerManagedBy(mgr).
		Named("apprelease").
		WithOptions(options(workers)).
		Watches(&v1alpha1.DRPlan{}, &handler.EnqueueRequestForObject{}).
		Watches(&v1alpha1.DRPlan{}, handler.EnqueueRequestsFromMapFunc(m.neighbours), builder.WithPredicates(planChanged)).
		Watches(&v1alpha1.AppRelease{}, handler.EnqueueRequestsFromMapFunc(planOfRelease), builder.WithPredicates(releaseAsks)).
		Watches(&appsv1.Deployment{}, m.workload(planFirst), builder.WithPredicates(workloadChanged)).
		Watches(&appsv1.ReplicaSet{}, after(planFirst, m.owner), builder.WithPredicates(startsToRun)).
		Watches(&velerov1.Backup{}, handler.EnqueueRequestsFromMapFunc(planOfBackup), builder.WithPredicates(backupChanged)).
		Watches(&velerov1.Backup{}, handler.EnqueueRequestsFromMapFunc(m.sharers), builder.WithPredicates(backupEnded)).
		Watches(&velerov1.BackupStorageLocation{}, handler.EnqueueRequestsFromMapFunc(m.storingIn), builder.WithPredicates(locationChanged)).
		Complete(r)
}

func planOfRelease(_ context.Context, obj client.Object) []ctrl.Request {
	release := obj.(*v1alpha1.AppRelease)
	return []ctrl.Request{{NamespacedName: client.ObjectKey{Namespace: release.Namespace, Name: release.Spec.Plan}}}
}

func planOfBackup(_ context.Context, obj client.Object) []ctrl.Request {
	if key, ok := observe.PlanOfBackup(obj); ok {
		return []ctrl.Request{{NamespacedName: key}}
	}
	return nil
}
