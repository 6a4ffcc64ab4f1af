// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/gate"
	"github.com/backstay-dr/backstay/internal/plan"
	"github.com/backstay-dr/backstay/internal/workload"
)

// GateReader finds out whether the gate is in force: it compares the policies that are installed with those that this
// version ships, and probes by dry runs.
type GateReader struct {
	client client.Client
	want   []gate.Object

	// readable are those of the kinds that the cluster serves: before Kubernetes 1.36 not all, before 1.30 none.
	readable []gate.Object

	mu   sync.Mutex
	seen []string // versions of what was compared last
	last *gate.Installed

	answers answers
}

// newGateReader finds out, once, which kinds of policies the cluster serves: an upgrade of the cluster needs a restart of
// the operator.
func newGateReader(mgr ctrl.Manager, identity gate.Identity) (*GateReader, error) {
	r := &GateReader{client: mgr.GetClient(), want: gate.Objects(identity)}
	for _, want := range r.want {
		kind := want.GetObjectKind().GroupVersionKind()
		switch _, err := mgr.GetRESTMapper().RESTMapping(kind.GroupKind(), kind.Version); {
		case err == nil:
			r.readable = append(r.readable, want)
		case !meta.IsNoMatchError(err):
			return nil, err
		}
	}
	return r, nil
}

// served says whether the cluster serves every kind that the gate consists of.
func (r *GateReader) served() bool { return len(r.readable) == len(r.want) }

// Read compares what is installed with what this version ships.
func (r *GateReader) Read(ctx context.Context) (gate.Installed, error) {
	var live []gate.Object
	var versions []string
	for _, want := range r.readable {
		got := newOf(want)
		switch err := r.client.Get(ctx, client.ObjectKey{Name: want.GetName()}, got, client.UnsafeDisableDeepCopy); {
		case err == nil:
			live, versions = append(live, got), append(versions, string(got.GetUID())+got.GetResourceVersion())
		case !apierrors.IsNotFound(err):
			return gate.Installed{}, err
		}
	}
	return r.compare(live, versions), nil
}

// compare is done again only when one of them changed: there is one gate, and there are thousands of plans.
func (r *GateReader) compare(live []gate.Object, versions []string) gate.Installed {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last != nil && slices.Equal(r.seen, versions) {
		return *r.last
	}
	g := gate.Installed{Served: r.served(), Holds: gate.Holds(live), Backstops: gate.Backstops(live)}
	for _, difference := range gate.Compare(live, r.want) {
		if difference.Missing {
			g.Missing = append(g.Missing, difference.String())
		} else {
			g.Altered = append(g.Altered, difference.String())
		}
	}
	g.Fingerprint = gate.Fingerprint(live)
	r.seen, r.last = versions, &g
	return g
}

// Assess implements Gate. Where another plan of the namespace is being probed, it says that it is being found out.
func (r *GateReader) Assess(ctx context.Context, in facts.Input) (gate.Finding, error) {
	installed, err := r.Read(ctx)
	if err != nil {
		return gate.Finding{}, err
	}
	subject := plan.GateSubject(in)
	if finding, known := gate.Assess(subject, installed); known {
		return finding, nil
	}
	probed, err := r.probe(ctx, subject, installed.Fingerprint)
	if errors.Is(err, errAsking) {
		return gate.Finding{RetryAfter: askingAfter}, nil
	}
	return gate.Conclude(subject, installed, probed, err), nil
}

// probe finds out what the policies do with a plan, by a dry run that changes the template of one of its workloads, or from
// the answer to such a dry run of another plan of its namespace. It returns errAsking while that is being waited for.
func (r *GateReader) probe(ctx context.Context, s gate.Subject, fingerprint string) (gate.Probed, error) {
	ask := func() (gate.Answer, bool, error) {
		answer, err := r.dryRun(ctx, s.Target)
		return answer, slices.Contains(append([]string{s.Plan.Name}, s.SharedWith...), answer.HeldBy), err
	}
	find := ask
	if s.SharesProbes() {
		find = func() (gate.Answer, bool, error) { return r.answers.find(s.Plan, fingerprint, s.Now, ask) }
	}
	answer, held, err := find()
	return gate.Probed{Held: held, Evaluated: answer.For(s.Plan)}, err
}

func (r *GateReader) dryRun(ctx context.Context, target *workload.View) (gate.Answer, error) {
	k := workload.KindOf(target.Key)
	w := k.New()
	w.SetNamespace(target.Namespace)
	w.SetName(target.Name)
	if err := r.client.Patch(ctx, w, client.RawPatch(types.MergePatchType, gate.ProbePatch(k)), client.DryRunAll); err != nil {
		return gate.Answer{}, err
	}
	return gate.ReadAnswer(k, w), nil
}

// Watched are the kinds whose changes may open or close the gate, one object of each.
func (r *GateReader) Watched() []client.Object {
	kinds := map[reflect.Type]client.Object{}
	for _, o := range r.readable {
		kinds[reflect.TypeOf(o)] = newOf(o)
	}
	return slices.Collect(maps.Values(kinds))
}

// newOf is an empty object of the same kind.
func newOf(o gate.Object) gate.Object {
	return reflect.New(reflect.TypeOf(o).Elem()).Interface().(gate.Object)
}

// Ours passes only the policies and bindings of Backstay.
func (r *GateReader) Ours() predicate.Predicate {
	names := map[string]bool{}
	for _, want := range r.want {
		names[want.GetName()] = true
	}
	ours := predicate.NewPredicateFuncs(func(obj client.Object) bool { return names[obj.GetName()] })
	return predicate.And(predicate.GenerationChangedPredicate{}, ours)
}
