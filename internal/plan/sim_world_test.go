// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/workload"
	"github.com/backstay-dr/backstay/test/gen"
)

// epoch is when every simulated world begins.
var epoch = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

const (
	ns   = gen.DefaultNamespace
	shop = gen.DefaultPlan
)

// state is what the API server stores. Objects in it are never changed, only replaced, so that a copy of the maps is a
// snapshot.
type state struct {
	deployments map[string]*appsv1.Deployment
	sets        map[string]*appsv1.ReplicaSet
	plans       map[string]*v1alpha1.DRPlan
	releases    map[string]*v1alpha1.AppRelease
	backups     map[string]*velerov1.Backup
	location    *velerov1.BackupStorageLocation
	terminating bool

	// known is how many starts had happened: what this state shows.
	known int
}

func (s state) snapshot() state {
	s.deployments, s.sets, s.plans = maps.Clone(s.deployments), maps.Clone(s.sets), maps.Clone(s.plans)
	s.releases, s.backups = maps.Clone(s.releases), maps.Clone(s.backups)
	return s
}

// world is a simulated cluster: the API server with its admission policies, the Deployment controller and Velero. It
// knows what really happened, and checks what operators do against that.
type world struct {
	testing.TB
	state

	now   time.Time
	count int // resource versions and UIDs
	past  []state

	gateUp    bool            // the admission policies are in force
	broken    map[string]bool // Deployments whose new pods never become available
	unwatched bool            // no operator runs
	velero    fakeVelero

	truth truth
	log   *strings.Builder // what happened, for transcripts; nil for none

	// news counts the changes that make an operator look again.
	news int
}

func newWorld(t testing.TB) *world {
	w := &world{
		TB: t, now: epoch, gateUp: true, broken: map[string]bool{},
		state: state{
			deployments: map[string]*appsv1.Deployment{}, sets: map[string]*appsv1.ReplicaSet{},
			plans: map[string]*v1alpha1.DRPlan{}, releases: map[string]*v1alpha1.AppRelease{},
			backups: map[string]*velerov1.Backup{}, location: gen.Location("main", gen.DefaultLocation()),
		},
		truth: newTruth(),
	}
	w.velero = fakeVelero{pickUp: time.Second, duration: 3 * time.Second}
	return w
}

// stored stamps an object that is about to be stored, and keeps the state before it.
func (w *world) stored(o metav1.Object) {
	w.remember()
	w.count++
	o.SetResourceVersion(strconv.Itoa(w.count))
	if o.GetUID() == "" {
		o.SetUID(types.UID(fmt.Sprintf("uid-%d", w.count)))
		o.SetGeneration(1)
		gen.Created(w.now)(o)
	}
}

// tell makes the operator look.
func (w *world) tell() { w.news++ }

// remember keeps the state for caches that lag behind.
func (w *world) remember() {
	const kept = 40
	old := w.snapshot()
	old.known = len(w.truth.started)
	w.past = append(w.past, old)
	if len(w.past) > kept {
		w.past = slices.Delete(w.past, 0, len(w.past)-kept)
	}
}

// say adds a line to the transcript.
func (w *world) say(who, format string, args ...any) {
	if w.log != nil {
		fmt.Fprintf(w.log, "%7s  %-9s %s\n", "+"+w.now.Sub(epoch).Round(time.Second).String(), who, fmt.Sprintf(format, args...))
	}
}

func (w *world) createPlan(p *v1alpha1.DRPlan) {
	p.UID = ""
	w.stored(p)
	w.plans[p.Name] = p
	w.tell()
	w.say("user", "create plan %s, gate %s", p.Name, p.Spec.Gate.Mode)
}

func (w *world) editPlan(name string, options ...gen.PlanOption) {
	p := w.plans[name]
	if p == nil {
		return
	}
	p = p.DeepCopy()
	for _, o := range options {
		gen.ApplyToPlan(p, o)
	}
	p.Generation++
	w.stored(p)
	w.plans[name] = p
	w.tell()
	w.say("user", "edit plan %s: gate %s, deadline %ds %s, %d attempts", name,
		p.Spec.Gate.Mode, p.Spec.Gate.DeadlineSeconds, p.Spec.Gate.OnDeadline, p.Spec.Gate.BackupAttempts)
}

func (w *world) deletePlan(name string) {
	w.remember()
	delete(w.plans, name)
	w.tell()
	w.say("user", "delete plan %s", name)
}

func (w *world) createRelease(r *v1alpha1.AppRelease) {
	if w.releases[r.Name] != nil {
		return
	}
	r.UID = ""
	w.stored(r)
	w.releases[r.Name] = r
	w.tell()
	w.say("user", "create release %s, intent %s", r.Name, r.Spec.Intent)
}

func (w *world) deleteRelease(name string) {
	w.remember()
	delete(w.releases, name)
	w.tell()
	w.say("user", "delete release %s", name)
}

// editRelease changes a release as any user does.
func (w *world) editRelease(name string, options ...gen.ReleaseOption) {
	r := w.releases[name].DeepCopy()
	for _, o := range options {
		gen.ApplyToRelease(r, o)
	}
	if !equality.Semantic.DeepEqual(w.releases[name].Spec, r.Spec) {
		r.Generation++
	}
	w.stored(r)
	w.releases[name] = r
	w.tell()
	w.say("user", "edit release %s, intent %s", name, r.Spec.Intent)
}

// createDeployment creates one, which nothing holds: its pods start at once.
func (w *world) createDeployment(d *appsv1.Deployment) {
	if w.deployments[d.Name] != nil {
		return
	}
	d.UID = ""
	w.stored(d)
	w.deployments[d.Name] = d
	w.truth.created(d)
	w.tell()
	w.say("user", "create %s", w.describe(d))
}

func (w *world) deleteDeployment(name string) {
	if w.deployments[name] == nil {
		return
	}
	w.remember()
	for set := range w.sets {
		if strings.HasPrefix(set, name+"-") {
			delete(w.sets, set)
		}
	}
	delete(w.deployments, name)
	w.tell()
	w.say("user", "delete %s", name)
}

// edit changes a Deployment as any user does: the gate sees it.
func (w *world) edit(name, user string, options ...gen.DeploymentOption) {
	old := w.deployments[name]
	if old == nil {
		return
	}
	d := old.DeepCopy()
	for _, o := range options {
		gen.ApplyToDeployment(d, o)
	}
	w.admit(old, d, user)
	w.storeDeployment(old, d)
	w.say(user, "%s", w.describe(d))
}

func (w *world) storeDeployment(old, d *appsv1.Deployment) {
	if !equality.Semantic.DeepEqual(old.Spec, d.Spec) {
		d.Generation = old.Generation + 1
	}
	w.stored(d)
	w.deployments[d.Name] = d
	if workload.Deployment.Changed(old, d) {
		w.tell()
	}
	w.truth.edited(w, d)
}

// describe tells of a Deployment what concerns a rollout.
func (w *world) describe(d *appsv1.Deployment) string {
	text := d.Name + " " + versionOf(d)
	for _, env := range d.Spec.Template.Spec.Containers[0].Env {
		text += fmt.Sprintf(" %s=%s", env.Name, env.Value)
	}
	v := view(d)
	switch {
	case v.Held():
		text += ", held by " + v.HeldBy
	case v.StaleHold():
		text += ", stale mark"
	case v.Paused:
		text += ", paused"
	}
	if v.UserPaused {
		text += ", paused by a user before"
	}
	if v.Override != nil {
		text += fmt.Sprintf(", overridden by %s: %s", v.Override.User, v.Override.Reason)
	}
	if d.Labels[gen.LabelPartOf] != shop {
		text += ", not of the plan"
	}
	return text
}

func view(d *appsv1.Deployment) workload.View { return workload.FromDeployment(d, nil) }

func hashOf(d *appsv1.Deployment) string { return view(d).Template.Hash }

// versionOf is the version that a Deployment's pod template is labelled with.
func versionOf(d *appsv1.Deployment) string { return d.Spec.Template.Labels[gen.LabelVersion] }

func sorted[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
