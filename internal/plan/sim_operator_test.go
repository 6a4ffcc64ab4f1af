// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/controllers"
	"github.com/backstay-dr/backstay/internal/actuate"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/gate"
	"github.com/backstay-dr/backstay/internal/observe"
	"github.com/backstay-dr/backstay/internal/plan"
	"github.com/backstay-dr/backstay/internal/telemetry"
	"github.com/backstay-dr/backstay/test/gen"
)

var errCrash = errors.New("killed")

// operator is a running operator: the reconciler of the product on a simulated API server, with caches that may be behind, a clock
// that may be wrong, and a death at any write.
type operator struct {
	*world
	crashAfter int           // writes until it is killed; negative for never
	lag        int           // how many changes its caches are behind
	clock      time.Duration // by how much its clock is ahead
	down       bool
	refuses    func(client.Object) bool // of what it writes, by the API server; nil for nothing
	restored   []string                 // workloads that it reported as restored
	decisions  int

	duty
	reconciler *controllers.DRPlanReconciler
	reconciliation
}

// reconciliation is what one look at a plan is judged by.
type reconciliation struct {
	seen    state        // what the caches show
	decided *facts.Input // what was decided on, where there is a plan
	starts  []plan.Start // what was released
	killed  bool
}

// duty is when the operator has to look.
type duty struct {
	heard int       // news of the world that it has looked at
	timer time.Time // zero for none
}

func (d *duty) due(w *world) bool {
	return d.heard != w.news || !d.timer.IsZero() && !w.now.Before(d.timer)
}

func (d *duty) wakeAfter(w *world, after time.Duration) {
	if at := w.now.Add(after); after > 0 && (d.timer.IsZero() || at.Before(d.timer)) {
		d.timer = at
	}
}

func newOperator(w *world) *operator {
	o := &operator{world: w, crashAfter: -1}
	o.restart()
	return o
}

// restart makes it look at everything, with nothing in its memory, as after its start.
func (o *operator) restart() {
	clock := func() time.Time { return o.now.Add(o.clock) }
	metrics, err := telemetry.NewMetrics(prometheus.NewRegistry(), api{operator: o})
	if err != nil {
		o.Fatal(err)
	}
	o.duty = duty{heard: -1}
	o.reconciler = controllers.NewDRPlanReconciler(
		&observe.Observer{Reader: api{operator: o}, Cluster: "c", VeleroNamespace: gen.VeleroNamespace, Now: clock},
		&actuate.Actuator{
			Client: api{operator: o}, Live: live{o}, VeleroNamespace: gen.VeleroNamespace,
			Events: telemetry.Events{Recorder: recorder{o}}, Metrics: metrics, Now: clock,
		},
		simulatedGate{o},
	)
}

// caches are what they show now.
func (o *operator) caches() state {
	if lag := min(o.lag, len(o.past)); lag > 0 {
		return o.past[len(o.past)-lag].snapshot()
	}
	s := o.snapshot()
	s.known = len(o.truth.started)
	return s
}

// work lets the operator look at every plan, once, if it has to. It reports whether it had.
func (o *operator) work() (busy bool) {
	if o.down {
		return false
	}
	if busy = o.due(o.world); busy {
		o.duty = duty{heard: o.news}
		for _, name := range o.planNames() {
			if o.reconcile(name); o.killed {
				o.restart()
				break
			}
		}
	}
	o.lag = max(0, o.lag-1)
	return busy
}

// soon is when a request is tried again that failed.
const soon = 5 * time.Millisecond

// reconcile lets the operator look at one plan.
func (o *operator) reconcile(name string) {
	o.reconciliation = reconciliation{seen: o.caches()}
	o.decisions++
	ctx := log.IntoContext(context.Background(), logr.Discard())
	result, err := o.reconciler.Reconcile(ctx, ctrl.Request{NamespacedName: client.ObjectKey{Namespace: ns, Name: name}})
	if o.killed {
		return
	}
	o.wakeAfter(o.world, result.RequeueAfter)
	if err != nil {
		o.wakeAfter(o.world, soon)
	}
	if o.decided != nil {
		o.unchanged(o.seen, *o.decided)
	}
}

// apply carries out a decision that was made on what caches showed.
func (o *operator) apply(seen state, in facts.Input, d plan.Decision) error {
	o.reconciliation = reconciliation{seen: seen}
	return o.reconciler.Actuator.Apply(log.IntoContext(context.Background(), logr.Discard()), in, d)
}

// planNames are the plans that exist, or that something still speaks of.
func (o *operator) planNames() []string {
	var names []string
	for name := range o.plans {
		names = append(names, name)
	}
	for _, r := range o.releases {
		names = append(names, r.Spec.Plan)
	}
	for _, d := range o.deployments {
		if name, ok := strings.CutPrefix(d.Annotations[v1alpha1.AnnotationHeldBy], ns+"/"); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// simulatedGate tells how the gate of a plan stands, as the simulated admission has it.
type simulatedGate struct{ *operator }

// Assess implements controllers.Gate.
func (g simulatedGate) Assess(_ context.Context, in facts.Input) (gate.Finding, error) {
	g.decided = &in
	return g.finding(in), nil
}

func (o *operator) finding(in facts.Input) gate.Finding {
	if in.Plan == nil {
		return gate.Finding{}
	}
	installed := gate.Installed{Served: true, Holds: true, Backstops: []string{"backstop"}, Fingerprint: fmt.Sprintf("policies-%t", o.gateUp)}
	subject := plan.GateSubject(in)
	if finding, known := gate.Assess(subject, installed); known {
		return finding
	}
	return gate.Conclude(subject, installed, gate.Probed{Held: o.gateUp, Evaluated: o.gateUp}, nil)
}

// recorder hears of the events that it emits.
type recorder struct{ *operator }

// Eventf implements events.EventRecorder.
func (r recorder) Eventf(regarding, _ runtime.Object, _, reason, _, _ string, _ ...any) {
	if on, ok := regarding.(*corev1.ObjectReference); ok && reason == v1alpha1.ReasonRestored {
		r.restored = append(r.restored, on.Name)
	}
}
