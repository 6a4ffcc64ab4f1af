// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/plan"
	"github.com/backstay-dr/backstay/internal/velero"
	"github.com/backstay-dr/backstay/internal/workload"
	"github.com/backstay-dr/backstay/test/gen"
)

var (
	errCrash    = errors.New("killed")
	errConflict = errors.New("decided on old news")
)

// operator is a running operator: what it does with decisions is what internal/actuate does while nothing is refused, and it
// looks when controllers does.
type operator struct {
	*world
	crashAfter int           // writes until it is killed; negative for never
	lag        int           // how many changes its caches are behind
	clock      time.Duration // by how much its clock is ahead
	down       bool
	writes     int
	restored   []string // workloads that it told of
	decisions  int

	ofReleases, ofPlans duty

	putOff map[string]time.Time // until when a status of the plan's releases is put off
}

// duty is when one of its controllers has to look.
type duty struct {
	heard int       // news of the world that it has looked at
	timer time.Time // zero for none
}

func (d *duty) due(w *world, news int) bool {
	return d.heard != news || !d.timer.IsZero() && !w.now.Before(d.timer)
}

func (d *duty) looked(news int) { d.heard, d.timer = news, time.Time{} }

func (d *duty) wakeAfter(w *world, after time.Duration) {
	if at := w.now.Add(after); after > 0 && (d.timer.IsZero() || at.Before(d.timer)) {
		d.timer = at
	}
}

func newOperator(w *world) *operator {
	return &operator{world: w, crashAfter: -1, ofReleases: duty{heard: -1}, ofPlans: duty{heard: -1}, putOff: map[string]time.Time{}}
}

// restart makes it look at everything, as after its start.
func (o *operator) restart() {
	o.ofReleases, o.ofPlans, o.putOff = duty{heard: -1}, duty{heard: -1}, map[string]time.Time{}
}

// seen is what its caches show.
func (o *operator) seen() state {
	if lag := min(o.lag, len(o.past)); lag > 0 {
		return o.past[len(o.past)-lag].snapshot()
	}
	s := o.snapshot()
	s.known = len(o.truth.started)
	return s
}

// work lets each controller look that has to, once. It says whether there was anything to do.
func (o *operator) work() (busy bool) {
	if o.down {
		return false
	}
	for _, c := range []struct {
		duty *duty
		news *int
		do   func(plan string) error
	}{{&o.ofReleases, &o.news.releases, o.decide}, {&o.ofPlans, &o.news.plans, o.writePlanStatus}} {
		if !c.duty.due(o.world, *c.news) {
			continue
		}
		busy = true
		c.duty.looked(*c.news)
		for _, name := range o.planNames() {
			if err := c.do(name); err != nil {
				o.restart()
				break
			}
		}
	}
	o.lag = max(0, o.lag-1)
	return busy
}

// decide makes one decision and carries it out.
func (o *operator) decide(name string) error {
	seen := o.seen()
	in := o.observe(seen, name)
	d := plan.Decide(in)
	o.unchanged(seen, in)
	o.decisions++
	o.ofReleases.wakeAfter(o.world, d.RequeueAfter)
	if o.putsOff(name, d.Passing) {
		return nil
	}
	return o.apply(seen, in, d)
}

// putsOff says whether a status that is about to change is still put off, as the controller does; each write starts anew.
func (o *operator) putsOff(name string, passing bool) bool {
	until, known := o.putOff[name]
	if passing && !known {
		until = o.now.Add(time.Second)
		o.putOff[name] = until
	}
	if passing && o.now.Before(until) {
		o.ofReleases.wakeAfter(o.world, until.Sub(o.now))
		return true
	}
	delete(o.putOff, name)
	return false
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

// write counts a write, unless the operator is killed before it.
func (o *operator) write() error {
	if o.crashAfter == 0 {
		o.crashAfter = -1
		o.say("operator", "is killed")
		return errCrash
	}
	o.crashAfter--
	o.writes++
	return nil
}

func (o *operator) apply(seen state, in plan.Input, d plan.Decision) error {
	if err := o.confirm(d); err != nil {
		return err
	}
	if len(d.Starts) > 0 && !d.WriteAhead && len(d.Backups) == 0 {
		return o.startAll(seen, in, d.Starts)
	}
	for _, r := range d.Create {
		if err := o.applyRelease(r); err != nil {
			return err
		}
	}
	for _, name := range sorted(d.Statuses) {
		if err := o.applyStatus(seen, name, d.Statuses[name]); err != nil {
			return err
		}
	}
	for _, b := range d.Backups {
		if err := o.applyBackup(b); err != nil {
			return err
		}
	}
	if err := o.markBackups(d); err != nil {
		return err
	}
	if err := o.withdraw(d.Withdraw); err != nil {
		return err
	}
	if err := o.startAll(seen, in, d.Starts); err != nil {
		return err
	}
	if err := o.prune(d.Prune); err != nil {
		return err
	}
	for i := range d.Restored {
		o.restored = append(o.restored, d.Restored[i].Name)
	}
	for i := range d.Remark {
		if err := o.patch(&d.Remark[i], workload.RemarkPatch(&d.Remark[i], in.Name)); err != nil {
			return err
		}
		o.say("operator", "mark %s as held again", d.Remark[i].Name)
	}
	for i := range d.Explain {
		v := &d.Explain[i].Workload
		if err := o.patch(v, workload.HeldReasonPatch(v, d.Explain[i].Text)); err != nil {
			return err
		}
		o.say("operator", "%s says %s", v.Name, d.Explain[i].Text)
	}
	for i := range d.Clean {
		if err := o.patch(&d.Clean[i], workload.CleanPatch(&d.Clean[i])); err != nil {
			return err
		}
		o.say("operator", "clean %s", d.Clean[i].Name)
	}
	return nil
}

func (o *operator) applyRelease(r *v1alpha1.AppRelease) error {
	if err := o.write(); err != nil {
		return err
	}
	if o.releases[r.Name] != nil {
		return errConflict
	}
	r = r.DeepCopy()
	o.stored(r)
	o.releases[r.Name] = r
	o.tell()
	o.say("operator", "create release %s", r.Name)
	return nil
}

func (o *operator) applyStatus(seen state, name string, status *v1alpha1.AppReleaseStatus) error {
	if err := o.write(); err != nil {
		return err
	}
	stored := o.releases[name]
	if stored == nil || seen.releases[name] != nil && seen.releases[name].ResourceVersion != stored.ResourceVersion {
		return errConflict
	}
	checkReleaseStatus(o, name, status)
	changed := stored.DeepCopy()
	changed.Status = *status.DeepCopy()
	o.stored(changed)
	o.releases[name] = changed
	o.news.plans++
	o.say("operator", "release %s", describeRelease(changed))
	return nil
}

func (o *operator) applyBackup(b *velerov1.Backup) error {
	if err := o.write(); err != nil {
		return err
	}
	if o.backups[b.Name] != nil {
		return nil
	}
	b = b.DeepCopy()
	b.Namespace = gen.VeleroNamespace
	o.storeBackup(b)
	o.truth.backupCreated(o.world, b)
	o.say("operator", "create backup %s of %s", b.Name, cmp.Or(b.Annotations[v1alpha1.AnnotationVersion], "a mixed state"))
	return nil
}

func (o *operator) markBackups(d plan.Decision) error {
	for _, name := range d.Relabel {
		if err := o.patchBackup(name, velero.MixedPatch()); err != nil {
			return err
		}
		o.say("operator", "backup %s is of a mixed state", name)
	}
	for _, name := range d.Fail {
		if err := o.patchBackup(name, velero.FailPatch(o.now)); err != nil {
			return err
		}
	}
	for _, name := range d.Touch {
		if err := o.patchBackup(name, velero.TouchPatch(plan.AnnotationTouched, o.now)); err != nil {
			return err
		}
		o.say("operator", "touch backup %s", name)
	}
	return nil
}

func (o *operator) patchBackup(name string, patch []byte) error {
	if err := o.write(); err != nil {
		return err
	}
	if b := o.backups[name]; b != nil {
		o.storeBackup(merge(o, b, patch))
	}
	return nil
}

func (o *operator) startAll(seen state, in plan.Input, starts []plan.Start) error {
	for i := range starts {
		s := &starts[i]
		wrong := cmp.Or(o.checkStart(seen, in.Name, s), checkTogether(s, starts[:i]))
		if err := o.patch(&s.Workload, workload.ReleasePatch(&s.Workload, s.Admission(in.Name))); err != nil {
			return err
		}
		o.say("operator", "let %s go: %s %s", s.Workload.Name, s.Reason, s.Backup)
		if wrong != "" {
			o.Errorf("at %s plan %s lets %s go for %s: %s", o.now.Sub(epoch), in.Name, s.Workload.Name, s.Reason, wrong)
		}
		o.truth.letGo(s)
	}
	return nil
}

// patch is a JSON merge patch of a Deployment with a resourceVersion as its precondition.
func (o *operator) patch(v *workload.View, patch []byte) error {
	if err := o.write(); err != nil {
		return err
	}
	old := o.deployments[v.Name]
	if old == nil {
		return nil
	}
	if old.ResourceVersion != v.ResourceVersion {
		return errConflict
	}
	d := merge(o, old, patch)
	o.storeDeployment(old, d)
	return nil
}

// writePlanStatus does what the controller of plans does.
func (o *operator) writePlanStatus(name string) error {
	seen := o.seen()
	in := o.observe(seen, name)
	if in.Plan == nil {
		return nil
	}
	gate := plan.Gate{Served: true, Holds: true, Backstops: []string{"backstop"}, Fingerprint: fmt.Sprintf("policies-%t", o.gateUp)}
	finding, target := plan.AssessGate(in, gate)
	if target != nil {
		finding = plan.ConcludeProbe(in, gate, target, plan.Answer{Held: o.gateUp, Evaluated: o.gateUp}, nil)
	}
	status, after := plan.Status(in, finding)
	o.unchanged(seen, in)
	o.ofPlans.wakeAfter(o.world, after)
	if equality.Semantic.DeepEqual(in.Plan.Status, status) {
		return nil
	}
	if err := o.write(); err != nil {
		return err
	}
	if o.plans[name] == nil || o.plans[name].ResourceVersion != in.Plan.ResourceVersion {
		return errConflict
	}
	checkPlanStatus(o, &status)
	changed := in.Plan.DeepCopy()
	changed.Status = status
	o.stored(changed)
	o.plans[name] = changed
	o.news.releases++
	if text := describePlan(changed); text != describePlan(in.Plan) {
		o.say("operator", "plan %s", text)
	}
	return nil
}
