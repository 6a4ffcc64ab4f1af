// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"slices"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/plan"
	"github.com/backstay-dr/backstay/test/gen"
)

// truth is what really happened in a world, whoever saw it.
type truth struct {
	running  map[types.UID]string    // the template that last started, by its hash
	heldAt   map[types.UID]time.Time // when a Deployment was held that still is
	asked    map[types.UID]asked     // since when the template may start that a Deployment asks for
	released map[types.UID]string    // the backup that an operator last let a Deployment go by; "" for another reason
	started  []startFact
	backups  map[string]*backupFact
	ran      map[ranBefore]bool
}

// ranBefore is a template that a Deployment ran at some time.
type ranBefore struct {
	uid  types.UID
	hash string
}

// asked is a template that nothing holds, and since when.
type asked struct {
	hash string
	at   time.Time
}

// startFact is a new template that started. What counts is when it was let go: design.md's rule is about that, and the
// Deployment controller follows at once.
type startFact struct {
	at       time.Time
	workload string
	uid      types.UID
	version  string
	backup   string   // by which an operator let it go
	plans    []string // that selected it

	// adopted: the pods came with a ReplicaSet that the workload adopted. The rest of it may still be held.
	adopted bool

	// traceless: it had a ReplicaSet before, and no operator looked. Nobody can tell it afterwards.
	traceless bool
}

// backupFact is what a backup really is, whatever becomes of its object.
type backupFact struct {
	created  time.Time
	began    time.Time
	captured map[string]bool // versions of which something ran between its begin and its end
}

func newTruth() truth {
	return truth{
		running: map[types.UID]string{}, heldAt: map[types.UID]time.Time{}, asked: map[types.UID]asked{}, released: map[types.UID]string{},
		backups: map[string]*backupFact{}, ran: map[ranBefore]bool{},
	}
}

// created: what a Deployment is created with is where everything begins from.
func (t *truth) created(d *appsv1.Deployment) {
	t.running[d.UID] = hashOf(d)
	t.ran[ranBefore{d.UID, hashOf(d)}] = true
}

// edited: a Deployment was stored.

func (t *truth) edited(w *world, d *appsv1.Deployment) {
	v := view(d)
	_, wasHeld := t.heldAt[d.UID]
	switch {
	case !v.Held():
		delete(t.heldAt, d.UID)
		if t.asked[d.UID].hash != v.Template.Hash {
			t.asked[d.UID] = asked{v.Template.Hash, w.now}
		}
	case !wasHeld:
		t.heldAt[d.UID] = w.now
		delete(t.released, d.UID)
		delete(t.asked, d.UID)
	}
}

// starts: the Deployment controller gives a template its first pods.
func (t *truth) starts(w *world, d *appsv1.Deployment, traceless bool) {
	hash := hashOf(d)
	if t.running[d.UID] == hash {
		return
	}
	fact := startFact{at: t.asked[d.UID].at, workload: d.Name, uid: d.UID, version: versionOf(d), backup: t.released[d.UID], traceless: traceless}
	for _, name := range sorted(w.plans) {
		if selects(w.plans[name], d) {
			fact.plans = append(fact.plans, name)
		}
	}
	t.running[d.UID] = hash
	t.ran[ranBefore{d.UID, hash}] = true
	delete(t.released, d.UID)
	t.started = append(t.started, fact)
	for name, b := range w.backups {
		if !traceless && b.Status.Phase == velerov1.BackupPhaseInProgress && slices.Contains(fact.plans, b.Labels[v1alpha1.LabelPlan]) {
			t.backups[name].captured[fact.version] = true
		}
	}
}

// adopted: a Deployment adopts a ReplicaSet that has a pod.
func (t *truth) adopted(w *world, d *appsv1.Deployment) {
	again := ranBefore{d.UID, hashOf(d)}
	fact := startFact{at: w.now, workload: d.Name, uid: d.UID, version: versionOf(d), adopted: true, traceless: t.ran[again]}
	t.ran[again] = true
	for _, name := range sorted(w.plans) {
		if selects(w.plans[name], d) {
			fact.plans = append(fact.plans, name)
		}
	}
	t.started = append(t.started, fact)
	pods := func(set *appsv1.ReplicaSet) bool { return *set.Spec.Replicas > 0 }
	if sets := slices.DeleteFunc(w.setsOf(d), func(set *appsv1.ReplicaSet) bool { return !pods(set) }); len(sets) == 1 {
		t.running[d.UID] = hashOf(d) // nothing else runs
	}
	for name, b := range w.backups {
		if b.Status.Phase == velerov1.BackupPhaseInProgress && slices.Contains(fact.plans, b.Labels[v1alpha1.LabelPlan]) {
			t.backups[name].captured[fact.version] = true
		}
	}
}

// letGo: an operator lets a held Deployment go.
func (t *truth) letGo(s *plan.Start) { t.released[s.Workload.UID] = s.Backup }

func (t *truth) backupCreated(w *world, b *velerov1.Backup) {
	t.backups[b.Name] = &backupFact{created: w.now, captured: map[string]bool{}}
}

// began: from now on a backup captures whatever runs of its plan.
func (t *truth) began(w *world, b *velerov1.Backup) {
	fact := t.backups[b.Name]
	fact.began = w.now
	for _, d := range w.deployments {
		if p := w.plans[b.Labels[v1alpha1.LabelPlan]]; p == nil || !selects(p, d) {
			continue
		}
		for _, set := range w.setsOf(d) {
			if *set.Spec.Replicas > 0 {
				fact.captured[set.Spec.Template.Labels[gen.LabelVersion]] = true
			}
		}
	}
}
