// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/workload"
)

// readMembers finds the workloads that the plan selects, that it holds, or that are in one of its open rollouts.
func (o *Observer) readMembers(ctx context.Context, in *facts.Input) error {
	plans, err := o.plansOf(ctx, in.Namespace)
	if err != nil {
		return err
	}
	known := knownTo(in)
	for _, k := range workload.Kinds {
		if err := o.readMembersOf(ctx, k, in, known, plans); err != nil {
			return err
		}
	}
	slices.SortFunc(in.Members, func(a, b facts.Member) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.Group, b.Group))
	})
	return nil
}

// readMembersOf adds to the members those of one kind.
func (o *Observer) readMembersOf(
	ctx context.Context, k *workload.Kind, in *facts.Input, known map[workload.Key]bool, plans []*v1alpha1.DRPlan,
) error {
	workloads, err := o.workloads(ctx, k, in, known)
	if err != nil {
		return err
	}
	for _, w := range workloads {
		m, err := o.member(ctx, k, in, w, plans)
		if err != nil {
			return err
		}
		if m.Selected || m.Held() || m.StaleHold() || known[m.Key] {
			in.Members = append(in.Members, m)
		}
	}
	return o.readLeft(ctx, k, in, workloads)
}

// readLeft finds the revisions that workloads of a kind which the plan remembers left behind when they were deleted.
func (o *Observer) readLeft(ctx context.Context, k *workload.Kind, in *facts.Input, workloads map[string]client.Object) error {
	if in.Plan == nil {
		return nil
	}
	for _, w := range slices.Concat(in.Plan.Status.Workloads, in.Plan.Status.Departed) {
		if !k.Is(keyOf(&w)) || w.Revision == "" {
			continue
		}
		now := workloads[w.Name]
		if now != nil && string(now.GetUID()) == w.UID {
			continue
		}
		revision := k.Revisions.New()
		err := o.Reader.Get(ctx, client.ObjectKey{Namespace: in.Namespace, Name: w.Revision}, revision, client.UnsafeDisableDeepCopy)
		if client.IgnoreNotFound(err) != nil {
			return err
		}
		// It may be adopted already by a workload that the cache does not show yet: each kind has a cache of its own.
		owner := metav1.GetControllerOfNoCopy(revision)
		if adopted := now != nil && owner != nil && owner.UID == now.GetUID(); err == nil && !adopted {
			if in.Left == nil {
				in.Left = map[facts.LeftRevision]bool{}
			}
			in.Left[facts.LeftBy(&w)] = true
		}
	}
	return nil
}

func keyOf(w *v1alpha1.PlanWorkload) workload.Key {
	return workload.Key{Group: w.Group, Kind: w.Kind, Name: w.Name}
}

// workloads are those of a kind, by name, that the plan selects or holds, and those that are known to it otherwise.
func (o *Observer) workloads(
	ctx context.Context, k *workload.Kind, in *facts.Input, known map[workload.Key]bool,
) (map[string]client.Object, error) {
	workloads := map[string]client.Object{}
	fields := []client.MatchingFields{{fieldHeldBy: workload.HoldMark(in.Namespace, in.Name)}}
	if in.Plan != nil {
		fields = append(fields, client.MatchingFields{fieldLabel: firstPair(in.Plan)})
	}
	for _, field := range fields {
		list := k.NewList()
		if err := o.Reader.List(ctx, list, client.InNamespace(in.Namespace), field, client.UnsafeDisableDeepCopy); err != nil {
			return nil, err
		}
		for _, w := range k.Items(list) {
			workloads[w.GetName()] = w
		}
	}
	for key := range known {
		if !k.Is(key) || workloads[key.Name] != nil {
			continue
		}
		w := k.New()
		switch err := o.Reader.Get(ctx, client.ObjectKey{Namespace: in.Namespace, Name: key.Name}, w, client.UnsafeDisableDeepCopy); {
		case err == nil:
			workloads[key.Name] = w
		case !apierrors.IsNotFound(err):
			return nil, err
		}
	}
	return workloads, nil
}

// knownTo are the workloads that something is still to be recorded of, whatever became of their labels: those in open
// rollouts, and those that the plan remembers.
func knownTo(in *facts.Input) map[workload.Key]bool {
	known := map[workload.Key]bool{}
	if in.Plan != nil {
		for _, w := range slices.Concat(in.Plan.Status.Workloads, in.Plan.Status.Departed) {
			known[keyOf(&w)] = true
		}
	}
	for _, r := range in.Releases {
		for i := range r.Status.Rollouts {
			ro := &r.Status.Rollouts[i]
			for j := range ro.Workloads {
				if w := &ro.Workloads[j]; ro.Outcome == "" {
					known[workload.Key{Group: w.Group, Kind: w.Kind, Name: w.Name}] = true
				}
			}
		}
	}
	return known
}

func (o *Observer) member(
	ctx context.Context, k *workload.Kind, in *facts.Input, w client.Object, plans []*v1alpha1.DRPlan,
) (facts.Member, error) {
	revisions := k.Revisions.NewList()
	by := client.MatchingFields{fieldOwner: string(w.GetUID())}
	if err := o.Reader.List(ctx, revisions, client.InNamespace(in.Namespace), by, client.UnsafeDisableDeepCopy); err != nil {
		return facts.Member{}, err
	}
	m := facts.Member{View: k.View(w, k.Revisions.Items(revisions), restartAnnotations(in.Plan)...)}
	for i, p := range plansSelecting(plans, k, w) {
		if p.Name == in.Name {
			m.Selected, m.Driver = true, i == 0
		} else {
			m.SharedWith = append(m.SharedWith, p.Name)
		}
	}
	slices.Sort(m.SharedWith)
	return m, nil
}

// restartAnnotations are the annotations of pod templates that mean a restart to a plan, which need not exist.
func restartAnnotations(p *v1alpha1.DRPlan) []string {
	if p == nil {
		return nil
	}
	return p.Spec.Gate.RestartAnnotations
}

// PlansSelecting finds the plans that select a workload of a kind, and the one that holds it. They are those of the cache:
// nobody may change them.
func (o *Observer) PlansSelecting(ctx context.Context, k *workload.Kind, obj client.Object) ([]*v1alpha1.DRPlan, error) {
	plans, err := o.plansOf(ctx, obj.GetNamespace())
	return plansSelecting(plans, k, obj), err
}

// PlansOwning finds the plans that hold, or select, the workload of a kind that a revision belongs to.
func (o *Observer) PlansOwning(ctx context.Context, k *workload.Kind, revision client.Object) ([]client.ObjectKey, error) {
	owner := metav1.GetControllerOf(revision)
	if owner == nil {
		return nil, nil
	}
	w := k.New()
	err := o.Reader.Get(ctx, client.ObjectKey{Namespace: revision.GetNamespace(), Name: owner.Name}, w, client.UnsafeDisableDeepCopy)
	if err != nil || w.GetUID() != owner.UID {
		return nil, client.IgnoreNotFound(err)
	}
	plans, err := o.PlansSelecting(ctx, k, w)
	keys := make([]client.ObjectKey, 0, len(plans))
	for _, p := range plans {
		keys = append(keys, client.ObjectKeyFromObject(p))
	}
	return keys, err
}

// plansOf lists the plans of a namespace in the order in which they move what they share: the one that holds the longest
// first, then the oldest: a plan that comes later takes over only what it holds for longer. They are those of the cache.
func (o *Observer) plansOf(ctx context.Context, namespace string) ([]*v1alpha1.DRPlan, error) {
	list := &v1alpha1.DRPlanList{}
	if err := o.Reader.List(ctx, list, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil, err
	}
	out := make([]*v1alpha1.DRPlan, 0, len(list.Items))
	for i := range list.Items {
		out = append(out, &list.Items[i])
	}
	slices.SortFunc(out, func(a, b *v1alpha1.DRPlan) int {
		return cmp.Or(cmp.Compare(strictness(b), strictness(a)), a.CreationTimestamp.Compare(b.CreationTimestamp.Time), strings.Compare(a.Name, b.Name))
	})
	return out, nil
}

// plansSelecting finds those among the plans of a namespace that select a workload, and the one that holds it: what is
// held leaves no plan by losing its labels. The first one moves it.
func plansSelecting(plans []*v1alpha1.DRPlan, k *workload.Kind, obj client.Object) []*v1alpha1.DRPlan {
	holder, held := k.HeldBy(obj)
	return slices.DeleteFunc(slices.Clone(plans), func(p *v1alpha1.DRPlan) bool {
		return !selects(p, obj.GetLabels()) && (!held || p.Name != holder)
	})
}

// Holder is the plan that the mark of a hold names, if that is one of the workload's own namespace.
func Holder(workload client.Object) (client.ObjectKey, bool) {
	namespace, name, ok := strings.Cut(workload.GetAnnotations()[v1alpha1.AnnotationHeldBy], "/")
	return client.ObjectKey{Namespace: namespace, Name: name}, ok && namespace == workload.GetNamespace()
}

func selects(p *v1alpha1.DRPlan, labels map[string]string) bool {
	for k, v := range p.Spec.Workloads.MatchLabels {
		if got, ok := labels[k]; !ok || got != string(v) {
			return false
		}
	}
	return len(p.Spec.Workloads.MatchLabels) > 0
}

// strictness is for how long a plan holds, in seconds; below zero where it does not.
func strictness(p *v1alpha1.DRPlan) int64 {
	switch g := p.Spec.Gate; {
	case g.Mode == v1alpha1.GateModeDisabled:
		return -2
	case g.Mode == v1alpha1.GateModeObserve:
		return -1
	case g.OnDeadline == v1alpha1.DeadlineRelease:
		return int64(g.DeadlineSeconds)
	default:
		return math.MaxInt64
	}
}

// Neighbours finds the plans that select a workload which a plan selects too, that plan among them.
func (o *Observer) Neighbours(ctx context.Context, p *v1alpha1.DRPlan) ([]client.ObjectKey, error) {
	plans, err := o.plansOf(ctx, p.Namespace)
	if err != nil {
		return nil, err
	}
	found := map[client.ObjectKey]bool{}
	for _, k := range workload.Kinds {
		list, by := k.NewList(), client.MatchingFields{fieldLabel: firstPair(p)}
		if err := o.Reader.List(ctx, list, client.InNamespace(p.Namespace), by, client.UnsafeDisableDeepCopy); err != nil {
			return nil, err
		}
		for _, w := range k.Items(list) {
			if selects(p, w.GetLabels()) {
				findSharers(found, plans, k, w)
			}
		}
	}
	return slices.Collect(maps.Keys(found)), nil
}

// findSharers adds the plans of a workload. The one that marked the hold may be gone: what it left is released when the last
// that shares it goes.
func findSharers(found map[client.ObjectKey]bool, plans []*v1alpha1.DRPlan, k *workload.Kind, obj client.Object) {
	for _, p := range plansSelecting(plans, k, obj) {
		found[client.ObjectKeyFromObject(p)] = true
	}
	if key, marked := Holder(obj); marked {
		found[key] = true
	}
}

// PlansIn lists the plans of a namespace, or of all.
func (o *Observer) PlansIn(ctx context.Context, namespace string) ([]client.ObjectKey, error) {
	list := &v1alpha1.DRPlanList{}
	if err := o.Reader.List(ctx, list, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil, err
	}
	out := make([]client.ObjectKey, 0, len(list.Items))
	for i := range list.Items {
		out = append(out, client.ObjectKeyFromObject(&list.Items[i]))
	}
	return out, nil
}

// PlansStoringIn lists the plans whose backups go to a storage location: those that name it, and those that name none where
// it is Velero's default.
func (o *Observer) PlansStoringIn(ctx context.Context, location string, isDefault bool) ([]client.ObjectKey, error) {
	list := &v1alpha1.DRPlanList{}
	if err := o.Reader.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
		return nil, err
	}
	var out []client.ObjectKey
	for i := range list.Items {
		if storesIn(&list.Items[i], location, isDefault) {
			out = append(out, client.ObjectKeyFromObject(&list.Items[i]))
		}
	}
	return out, nil
}

func storesIn(p *v1alpha1.DRPlan, location string, isDefault bool) bool {
	name := p.Spec.Backup.StorageLocation
	return name == location || name == "" && isDefault
}
