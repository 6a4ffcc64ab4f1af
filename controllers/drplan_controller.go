// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/actuate"
	"github.com/backstay-dr/backstay/internal/observe"
	"github.com/backstay-dr/backstay/internal/plan"
)

// +kubebuilder:rbac:groups=dr.backstay.dev,resources=drplans/status,verbs=update
// +kubebuilder:rbac:groups=admissionregistration.k8s.io,resources=mutatingadmissionpolicies;mutatingadmissionpolicybindings;validatingadmissionpolicies;validatingadmissionpolicybindings,verbs=get;list;watch

// DRPlanReconciler tells how a plan stands: versions, drift, protection, what is held, whether the gate is in force. It
// moves nothing.
type DRPlanReconciler struct {
	Client   client.Client
	Observer *observe.Observer
	Gate     *GateReader

	putOff   putOffs
	replaced actuate.Replaced

	// silence has every plan decided again when Velero falls silent, or answers again.
	silence *silenceWatch
}

// Reconcile writes the status of one plan, if it changed.
func (r *DRPlanReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	in, err := r.Observer.Plan(ctx, req.NamespacedName)
	if err != nil || in.Plan == nil {
		return ctrl.Result{}, err
	}
	if r.replaced.Shows(in.Plan) {
		return ctrl.Result{RequeueAfter: staleAfter}, nil
	}
	if more := r.putOff.more(req.NamespacedName, plan.Settling(in), in.Now); more > 0 {
		return ctrl.Result{RequeueAfter: more}, nil
	}
	finding, err := r.assessGate(ctx, in)
	if errors.Is(err, errAsking) {
		return ctrl.Result{RequeueAfter: askingAfter}, nil
	}
	if err != nil {
		return ctrl.Result{}, err
	}
	status, after := plan.Status(in, finding)
	if equality.Semantic.DeepEqual(in.Plan.Status, status) {
		return ctrl.Result{RequeueAfter: after}, nil
	}
	changed := in.Plan.DeepCopy()
	changed.Status = status
	if err := r.Client.Status().Update(ctx, changed); err != nil {
		return result(ctx, 0, client.IgnoreNotFound(fmt.Errorf("status of DRPlan %s: %w", in.Name, err)))
	}
	r.replaced.Note(in.Plan, changed)
	return ctrl.Result{RequeueAfter: after}, nil
}

// assessGate finds out whether the gate is in force, by a probe where nothing else can tell.
func (r *DRPlanReconciler) assessGate(ctx context.Context, in plan.Input) (plan.GateFinding, error) {
	gate, err := r.Gate.Read(ctx)
	if err != nil {
		return plan.GateFinding{}, err
	}
	finding, target := plan.AssessGate(in, gate)
	if target == nil {
		return finding, nil
	}
	answer, err := r.Gate.Probe(ctx, in, target, gate.Fingerprint)
	if errors.Is(err, errAsking) {
		return plan.GateFinding{}, err
	}
	return plan.ConcludeProbe(in, gate, target, answer, err), nil
}

// SetupWithManager registers the controller and its watches.
func (r *DRPlanReconciler) SetupWithManager(mgr ctrl.Manager, workers int) error {
	m := mapper{r.Observer}
	specChanged := builder.WithPredicates(predicate.GenerationChangedPredicate{})
	b := ctrl.NewControllerManagedBy(mgr).
		Named("drplan").
		WithOptions(options(workers)).
		For(&v1alpha1.DRPlan{}, specChanged).
		Watches(&v1alpha1.DRPlan{}, handler.EnqueueRequestsFromMapFunc(m.neighbours), builder.WithPredicates(planChanged)).
		Watches(&v1alpha1.AppRelease{}, handler.EnqueueRequestsFromMapFunc(planOfRelease), builder.WithPredicates(releaseChanged)).
		Watches(&appsv1.Deployment{}, m.workload(0), builder.WithPredicates(workloadChanged)).
		Watches(&appsv1.ReplicaSet{}, handler.EnqueueRequestsFromMapFunc(m.owner), builder.WithPredicates(serves)).
		Watches(&velerov1.Backup{}, handler.EnqueueRequestsFromMapFunc(planOfBackup), builder.WithPredicates(backupAdvanced)).
		Watches(&velerov1.BackupStorageLocation{}, handler.EnqueueRequestsFromMapFunc(m.storingIn), builder.WithPredicates(locationChanged)).
		WatchesRawSource(source.Channel(r.silence.changed, handler.EnqueueRequestsFromMapFunc(m.allPlans))).
		WatchesMetadata(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(m.plansIn), builder.WithPredicates(terminates))
	for _, policy := range r.Gate.Watched() {
		b = b.Watches(policy, handler.EnqueueRequestsFromMapFunc(m.allPlans), builder.WithPredicates(r.Gate.Ours()))
	}
	return b.Complete(r)
}
