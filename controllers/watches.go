// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"maps"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/ledger"
	"github.com/backstay-dr/backstay/internal/observe"
	"github.com/backstay-dr/backstay/internal/velero"
	"github.com/backstay-dr/backstay/internal/workload"
)

// mapper finds the plans that an object concerns.
type mapper struct{ observer *observe.Observer }

type queue = workqueue.TypedRateLimitingInterface[ctrl.Request]

// workload enqueues the plans that select a workload of a kind, that selected it before, or that hold it.
func (m mapper) workload(k *workload.Kind) handler.EventHandler {
	enqueue := func(ctx context.Context, obj client.Object, q queue) {
		plans, err := m.observer.PlansSelecting(ctx, k, obj)
		if err != nil {
			log.FromContext(ctx).Error(err, "Cannot find the plans of a workload", "kind", k.Name, "workload", client.ObjectKeyFromObject(obj))
		}
		for _, p := range plans {
			q.Add(ctrl.Request{NamespacedName: client.ObjectKeyFromObject(p)})
		}
		if holder, marked := observe.Holder(obj); marked {
			q.Add(ctrl.Request{NamespacedName: holder})
		}
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q queue) { enqueue(ctx, e.Object, q) },
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q queue) { enqueue(ctx, e.Object, q) },
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q queue) {
			enqueue(ctx, e.ObjectNew, q)
			if !maps.Equal(e.ObjectOld.GetLabels(), e.ObjectNew.GetLabels()) || holdMark(e.ObjectOld) != holdMark(e.ObjectNew) {
				enqueue(ctx, e.ObjectOld, q)
			}
		},
	}
}

func holdMark(obj client.Object) string { return obj.GetAnnotations()[v1alpha1.AnnotationHeldBy] }

// owner enqueues the plans of the workload of a kind that a revision belongs to: it may run what nobody admitted, or serve
// another version.
func (m mapper) owner(k *workload.Kind) handler.MapFunc {
	return func(ctx context.Context, obj client.Object) []ctrl.Request {
		keys, err := m.observer.PlansOwning(ctx, k, obj)
		return requests(ctx, keys, err)
	}
}

// neighbours enqueues the plans that share a workload with a plan: whether they overlap is reported on each.
func (m mapper) neighbours(ctx context.Context, obj client.Object) []ctrl.Request {
	keys, err := m.observer.Neighbours(ctx, obj.(*v1alpha1.DRPlan))
	return requests(ctx, keys, err)
}

// plansIn enqueues the plans of a namespace.
func (m mapper) plansIn(ctx context.Context, obj client.Object) []ctrl.Request {
	keys, err := m.observer.PlansIn(ctx, obj.GetName())
	return requests(ctx, keys, err)
}

// sharers enqueues the plans of the namespace of a Backup that ended, if that was one of as many as may be under way: others
// may wait for it.
func (m mapper) sharers(ctx context.Context, obj client.Object) []ctrl.Request {
	namespace := obj.GetLabels()[v1alpha1.LabelNamespace]
	underWay, err := m.observer.UnderWay(ctx, namespace)
	if err != nil || namespace == "" || len(underWay) < ledger.MaxUnderWay-1 {
		return requests(ctx, nil, err)
	}
	keys, err := m.observer.PlansIn(ctx, namespace)
	return requests(ctx, keys, err)
}

// storingIn enqueues the plans whose backups go to a storage location. Which of them wait for it cannot be read from their
// releases: a location may change while that is being written.
func (m mapper) storingIn(ctx context.Context, obj client.Object) []ctrl.Request {
	location := obj.(*velerov1.BackupStorageLocation)
	keys, err := m.observer.PlansStoringIn(ctx, location.Name, location.Spec.Default)
	return requests(ctx, keys, err)
}

// allPlans enqueues every plan: the gate concerns them all.
func (m mapper) allPlans(ctx context.Context, _ client.Object) []ctrl.Request {
	keys, err := m.observer.PlansIn(ctx, corev1.NamespaceAll)
	return requests(ctx, keys, err)
}

// requests turns keys into requests. The reads behind them are of the cache, and fail only while the operator stops.
func requests(ctx context.Context, keys []client.ObjectKey, err error) []ctrl.Request {
	if err != nil {
		log.FromContext(ctx).Error(err, "Cannot find the plans that a change concerns")
	}
	out := make([]ctrl.Request, 0, len(keys))
	for _, key := range keys {
		out = append(out, ctrl.Request{NamespacedName: key})
	}
	return out
}

// releaseChanged drops updates of a release that neither ask for anything nor report anything: of the records of who manages
// its fields, for example.
var releaseChanged = predicate.Or(predicate.GenerationChangedPredicate{}, predicate.LabelChangedPredicate{}, predicate.AnnotationChangedPredicate{},
	predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false },
		DeleteFunc: func(event.DeleteEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			from, to := e.ObjectOld.(*v1alpha1.AppRelease), e.ObjectNew.(*v1alpha1.AppRelease)
			return !equality.Semantic.DeepEqual(&from.Status, &to.Status)
		},
	})

// planChanged drops updates of a plan's status, and the plans that exist when the operator starts: each of them is looked
// at then in any case.
var planChanged = predicate.And(predicate.GenerationChangedPredicate{}, predicate.Funcs{
	CreateFunc: func(e event.CreateEvent) bool { return !e.IsInInitialList },
})

// workloadChanged drops updates that change nothing that a decision looks at: most are of the status.
func workloadChanged(k *workload.Kind) predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool { return k.Changed(e.ObjectOld, e.ObjectNew) },
	}
}

// runsOrServes passes a revision that begins to run or to serve, or ceases to serve: another version may.
func runsOrServes(k *workload.Kind) predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return !e.IsInInitialList && k.Revisions.Changed(nil, e.Object) },
		DeleteFunc: func(event.DeleteEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool { return k.Revisions.Changed(e.ObjectOld, e.ObjectNew) },
	}
}

// locationChanged drops what Velero writes about a storage location each time that it validates or synchronizes it: its
// kinds have no status subresource, so that their generation grows with every status.
var locationChanged = predicate.Funcs{
	UpdateFunc: func(e event.UpdateEvent) bool {
		from, to := e.ObjectOld.(*velerov1.BackupStorageLocation), e.ObjectNew.(*velerov1.BackupStorageLocation)
		return velero.LocationChanged(from, to)
	},
}

// backupEnded passes a Backup that is over, or gone.
var backupEnded = predicate.Funcs{
	CreateFunc: func(event.CreateEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool {
		from, to := e.ObjectOld.(*velerov1.Backup), e.ObjectNew.(*velerov1.Backup)
		return velero.StateOf(from) == velero.Waiting && velero.StateOf(to) != velero.Waiting
	},
}

// terminates passes the moment in which a namespace begins to go away.
var terminates = predicate.Funcs{
	CreateFunc: func(event.CreateEvent) bool { return false },
	DeleteFunc: func(event.DeleteEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool {
		return e.ObjectOld.GetDeletionTimestamp() == nil && e.ObjectNew.GetDeletionTimestamp() != nil
	},
}

// backupChanged drops updates of a Backup that neither a release nor a plan reports.
var backupChanged = predicate.Funcs{
	UpdateFunc: func(e event.UpdateEvent) bool {
		return velero.BackupChanged(e.ObjectOld.(*velerov1.Backup), e.ObjectNew.(*velerov1.Backup))
	},
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
