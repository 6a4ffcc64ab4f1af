// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package controllers connects what happens in the cluster with what is decided: observe, decide, act.
package controllers

import (
	"context"
	"errors"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/actuate"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/gate"
	"github.com/backstay-dr/backstay/internal/observe"
	"github.com/backstay-dr/backstay/internal/plan"
	"github.com/backstay-dr/backstay/internal/workload"
)

// +kubebuilder:rbac:groups=dr.backstay.dev,resources=drplans,verbs=get;list;watch
// +kubebuilder:rbac:groups=dr.backstay.dev,resources=drplans/status,verbs=update
// +kubebuilder:rbac:groups=dr.backstay.dev,resources=appreleases,verbs=get;list;watch;create;delete
// +kubebuilder:rbac:groups=dr.backstay.dev,resources=appreleases/status,verbs=update
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch
// +kubebuilder:rbac:groups=velero.io,namespace=velero,resources=backups,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=velero.io,namespace=velero,resources=backupstoragelocations,verbs=get;list;watch
// +kubebuilder:rbac:groups=admissionregistration.k8s.io,resources=mutatingadmissionpolicies;mutatingadmissionpolicybindings;validatingadmissionpolicies;validatingadmissionpolicybindings,verbs=get;list;watch

// Gate tells how the gate of a plan stands.
type Gate interface {
	// Assess finds that out, by a probe where nothing else can tell.
	Assess(ctx context.Context, in facts.Input) (gate.Finding, error)
}

// DRPlanReconciler decides about a plan and everything that belongs to it: it finds held workloads, has their backup taken, releases
// them, and reports how the plan and its releases stand.
type DRPlanReconciler struct {
	Observer *observe.Observer
	Actuator *actuate.Actuator
	Gate     Gate

	retries workqueue.TypedRateLimiter[ctrl.Request]
}

// NewDRPlanReconciler makes one.
func NewDRPlanReconciler(observer *observe.Observer, actuator *actuate.Actuator, gate Gate) *DRPlanReconciler {
	retries := workqueue.NewTypedItemExponentialFailureRateLimiter[ctrl.Request](firstRetry, latestRetry)
	return &DRPlanReconciler{Observer: observer, Actuator: actuator, Gate: gate, retries: retries}
}

// Reconcile makes one decision about one plan and carries it out.
func (r *DRPlanReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	in, err := r.Observer.Plan(ctx, req.NamespacedName)
	if err != nil {
		return ctrl.Result{}, err
	}
	if r.Actuator.Behind(in) {
		return ctrl.Result{RequeueAfter: staleAfter}, nil
	}
	r.Actuator.Complete(ctx, in)
	finding, unknown := r.assess(ctx, in)
	d := plan.Decide(in, finding)
	return r.result(ctx, req, d.RequeueAfter, errors.Join(unknown, r.Actuator.Apply(ctx, in, d))), nil
}

// assess asks about the gate of a plan that exists. What is not known of it keeps no rollout waiting.
func (r *DRPlanReconciler) assess(ctx context.Context, in facts.Input) (gate.Finding, error) {
	if in.Plan == nil {
		return gate.Finding{}, nil
	}
	return r.Gate.Assess(ctx, in)
}

// staleAfter is when to look again where the cache is behind what was written: it has it by then.
const staleAfter = 10 * time.Millisecond

// result maps the error of a write to what follows. A conflict means that the decision was made on a stale cache, which is
// no fault; a namespace that goes away needs no decision any more. What is refused is tried again after a while that doubles up to
// latestRetry, or sooner where a deadline is due.
func (r *DRPlanReconciler) result(ctx context.Context, req ctrl.Request, after time.Duration, err error) ctrl.Result {
	switch {
	case err == nil:
		r.retries.Forget(req)
	case apierrors.IsConflict(err):
		log.FromContext(ctx).V(1).Info("Stale cache, requeueing", "cause", err.Error())
		after = staleAfter
	case actuate.Terminating(err):
		r.retries.Forget(req)
		after = 0
	default:
		wait := r.retries.When(req)
		if after == 0 || wait < after {
			after = wait
		}
		log.FromContext(ctx).Error(err, "Part of a decision was refused, trying again", "after", after)
	}
	return ctrl.Result{RequeueAfter: after}
}

// firstRetry is the pause after the first write that was refused, and latestRetry the longest: a quota or a webhook that was in the way
// for a moment costs a moment.
const (
	firstRetry  = 5 * time.Millisecond
	latestRetry = 10 * time.Second
)

// setupWithManager registers the controller and its watches: policies are those whose changes may open or close the gate, and silence
// has every plan decided again when Velero falls silent, or answers again.
func (r *DRPlanReconciler) setupWithManager(mgr ctrl.Manager, workers int, policies *GateReader, silence *silenceWatch) error {
	m := mapper{r.Observer}
	b := ctrl.NewControllerManagedBy(mgr).
		Named("drplan").
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		For(&v1alpha1.DRPlan{}).
		Watches(&v1alpha1.DRPlan{}, handler.EnqueueRequestsFromMapFunc(m.neighbours), builder.WithPredicates(planChanged)).
		Watches(&v1alpha1.AppRelease{}, handler.EnqueueRequestsFromMapFunc(planOfRelease), builder.WithPredicates(releaseChanged)).
		Watches(&velerov1.Backup{}, handler.EnqueueRequestsFromMapFunc(planOfBackup), builder.WithPredicates(backupChanged)).
		Watches(&velerov1.Backup{}, handler.EnqueueRequestsFromMapFunc(m.sharers), builder.WithPredicates(backupEnded)).
		Watches(&velerov1.BackupStorageLocation{}, handler.EnqueueRequestsFromMapFunc(m.storingIn), builder.WithPredicates(locationChanged)).
		WatchesRawSource(source.Channel(silence.changed, handler.EnqueueRequestsFromMapFunc(m.allPlans))).
		WatchesMetadata(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(m.plansIn), builder.WithPredicates(terminates))
	for _, k := range workload.Kinds {
		b = b.Watches(k.New(), m.workload(k), builder.WithPredicates(workloadChanged(k))).
			Watches(k.Revisions.New(), handler.EnqueueRequestsFromMapFunc(m.owner(k)), builder.WithPredicates(runsOrServes(k)))
	}
	for _, policy := range policies.Watched() {
		b = b.Watches(policy, handler.EnqueueRequestsFromMapFunc(m.allPlans), builder.WithPredicates(policies.Ours()))
	}
	return b.Complete(r)
}
