// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/gen"
)

// roll lets the Deployment controller take one step with every Deployment.
func (w *world) roll() {
	for _, name := range sorted(w.deployments) {
		w.rollOne(w.deployments[name])
	}
}

// rollOne takes one step: a new template gets its ReplicaSet; the step after that, the old ones lose their pods. A
// paused Deployment only notes that it was seen.
func (w *world) rollOne(d *appsv1.Deployment) {
	next := d.DeepCopy()
	next.Status.ObservedGeneration = d.Generation
	w.copyMarks(next)
	if d.Spec.Paused {
		w.scalePaused(next)
	} else {
		w.rollSets(next)
	}
	if !equality.Semantic.DeepEqual(d.Status, next.Status) {
		w.storeDeployment(d, next)
	}
}

// copyMarks gives the ReplicaSet of a Deployment's template the Deployment's annotations, as its controller does at each sync.
func (w *world) copyMarks(d *appsv1.Deployment) {
	for _, set := range w.setsOf(d) {
		mark, ok := d.Annotations[v1alpha1.AnnotationAdmitted]
		if !ok || !sameTemplate(&set.Spec.Template, &d.Spec.Template) || set.Annotations[v1alpha1.AnnotationAdmitted] == mark {
			continue
		}
		set = set.DeepCopy()
		gen.Annotation(v1alpha1.AnnotationAdmitted, mark)(set)
		w.storeSet(set)
	}
}

// scalePaused is what the Deployment controller does with the replicas of a paused Deployment: the one ReplicaSet that has
// pods gets them; where none has, it is that of the template, or else the newest.
func (w *world) scalePaused(d *appsv1.Deployment) {
	want := *d.Spec.Replicas
	var chosen *appsv1.ReplicaSet
	active := 0
	for _, set := range w.setsOf(d) {
		if *set.Spec.Replicas > 0 {
			active++
		}
	}
	for _, set := range w.setsOf(d) {
		switch has := *set.Spec.Replicas > 0; {
		case active == 1 && has:
			chosen = set
		case active > 1 && want == 0:
			w.scale(set, 0)
		case active == 0 && sameTemplate(&set.Spec.Template, &d.Spec.Template):
			chosen = set
		case active == 0 && (chosen == nil || !sameTemplate(&chosen.Spec.Template, &d.Spec.Template) && chosen.CreationTimestamp.Before(&set.CreationTimestamp)):
			chosen = set
		}
	}
	if chosen == nil {
		return
	}
	if active == 0 && want > 0 {
		started := d.DeepCopy()
		started.Spec.Template = *chosen.Spec.Template.DeepCopy()
		w.truth.asked[d.UID] = asked{hashOf(started), w.now}
		w.truth.starts(w, started, true)
		w.say("cluster", "%s is scaled up with %s", d.Name, versionOf(started))
		w.tell()
	}
	w.scale(chosen, want)
}

func (w *world) rollSets(d *appsv1.Deployment) {
	want := *d.Spec.Replicas
	current, begun := w.currentSet(d)
	others := int32(0)
	for _, set := range w.setsOf(d) {
		if set.Name == current.Name {
			continue
		}
		if want == 0 || begun && !w.broken[d.Name] {
			w.scale(set, 0)
			continue
		}
		others += *set.Spec.Replicas
	}
	available := want
	if w.broken[d.Name] && others > 0 {
		available = 0
	}
	w.run(current, want, available)
	d.Status = appsv1.DeploymentStatus{
		ObservedGeneration: d.Generation, UpdatedReplicas: want, Replicas: want + others, AvailableReplicas: available + others,
	}
	if available < want && w.now.Sub(w.truth.asked[d.UID].at) >= progressDeadline {
		gen.ApplyToDeployment(d, gen.TimedOut())
	}
}

// progressDeadline is how long a rollout may make no progress, by default.
const progressDeadline = 600 * time.Second

// currentSet finds or makes the ReplicaSet of a Deployment's template, and tells whether it had pods before.
func (w *world) currentSet(d *appsv1.Deployment) (*appsv1.ReplicaSet, bool) {
	for _, set := range w.setsOf(d) {
		if sameTemplate(&set.Spec.Template, &d.Spec.Template) {
			w.truth.starts(w, d, w.unwatched)
			return set, *set.Spec.Replicas > 0
		}
	}
	revision := 1
	for w.sets[fmt.Sprintf("%s-%d", d.Name, revision)] != nil {
		revision++
	}
	set := gen.ReplicaSet(d, revision, 0, w.now)
	if mark, ok := d.Annotations[v1alpha1.AnnotationAdmitted]; ok {
		gen.Annotation(v1alpha1.AnnotationAdmitted, mark)(set)
	}
	w.storeSet(set)
	w.truth.starts(w, d, false)
	w.say("cluster", "%s starts %s", d.Name, versionOf(d))
	return set, false
}

func (w *world) scale(set *appsv1.ReplicaSet, replicas int32) { w.run(set, replicas, replicas) }

// run gives a ReplicaSet so many pods, of which so many are ready.
func (w *world) run(set *appsv1.ReplicaSet, replicas, ready int32) {
	if *set.Spec.Replicas == replicas && set.Status.ReadyReplicas == ready {
		return
	}
	old := set
	set = set.DeepCopy()
	set.Spec.Replicas = &replicas
	set.Status = appsv1.ReplicaSetStatus{Replicas: replicas, ReadyReplicas: ready}
	w.storeSet(set)
	if (old.Status.ReadyReplicas > 0) != (ready > 0) {
		w.tell()
	}
}

// storeSet stores a ReplicaSet.
func (w *world) storeSet(set *appsv1.ReplicaSet) {
	w.stored(set)
	w.sets[set.Name] = set
}

// setsOf lists the ReplicaSets of a Deployment.
func (s state) setsOf(d *appsv1.Deployment) []*appsv1.ReplicaSet {
	var out []*appsv1.ReplicaSet
	for _, name := range sorted(s.sets) {
		if s.sets[name].OwnerReferences[0].UID == d.UID {
			out = append(out, s.sets[name])
		}
	}
	return out
}

func sameTemplate(a, b *corev1.PodTemplateSpec) bool {
	x, y := a.DeepCopy(), b.DeepCopy()
	delete(x.Labels, appsv1.DefaultDeploymentUniqueLabelKey)
	delete(y.Labels, appsv1.DefaultDeploymentUniqueLabelKey)
	return equality.Semantic.DeepEqual(x, y)
}

// fakeVelero is how the simulated Velero behaves.
type fakeVelero struct {
	down     bool
	pickUp   time.Duration          // from the creation of a backup to its begin
	duration time.Duration          // from there to its end
	endings  []velerov1.BackupPhase // of the next backups; Completed when there are none
	reason   string                 // why they fail
	bucket   []*velerov1.Backup     // Completed backups whose object was deleted
}

// backUp lets Velero take a step: it ends the backup that is in progress, then begins the oldest that waits.
func (w *world) backUp() {
	if w.velero.down {
		return
	}
	names := slices.SortedFunc(maps.Keys(w.backups), func(a, b string) int {
		x, y := w.backups[a], w.backups[b]
		if c := x.CreationTimestamp.Compare(y.CreationTimestamp.Time); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	})
	for _, name := range names {
		switch b := w.backups[name].DeepCopy(); b.Status.Phase {
		case velerov1.BackupPhaseInProgress:
			if !w.now.Before(b.Status.StartTimestamp.Add(w.velero.duration)) {
				w.endBackup(b)
			}
			return
		case "", velerov1.BackupPhaseNew:
			if w.now.Before(b.CreationTimestamp.Add(w.velero.pickUp)) {
				return
			}
			if w.inBucket(name) {
				b.Status.Phase, b.Status.ValidationErrors = velerov1.BackupPhaseFailedValidation, []string{"backup already exists in object storage"}
				w.storeBackup(b)
				w.say("velero", "%s is %s", name, b.Status.Phase)
				return
			}
			b.Status.Phase, b.Status.StartTimestamp = velerov1.BackupPhaseInProgress, w.stamp()
			w.storeBackup(b)
			w.truth.began(w, b)
			return
		}
	}
}

func (w *world) inBucket(name string) bool {
	return slices.ContainsFunc(w.velero.bucket, func(b *velerov1.Backup) bool { return b.Name == name })
}

func (w *world) endBackup(b *velerov1.Backup) {
	b.Status.Phase, b.Status.CompletionTimestamp = velerov1.BackupPhaseCompleted, w.stamp()
	if len(w.velero.endings) > 0 {
		b.Status.Phase, b.Status.FailureReason = w.velero.endings[0], w.velero.reason
		w.velero.endings = w.velero.endings[1:]
	}
	w.storeBackup(b)
	w.say("velero", "%s is %s", b.Name, b.Status.Phase)
}

func (w *world) storeBackup(b *velerov1.Backup) {
	w.stored(b)
	w.backups[b.Name] = b
	w.tell()
}

// deleteBackup deletes the object. A Completed backup stays in the bucket.
func (w *world) deleteBackup(name string) {
	b := w.backups[name]
	if b == nil {
		return
	}
	if b.Status.Phase == velerov1.BackupPhaseCompleted && b.Status.FailureReason == "" {
		w.velero.bucket = append(w.velero.bucket, b)
	}
	w.remember()
	delete(w.backups, name)
	w.tell()
	w.say("user", "delete backup %s", name)
}

// syncBackups lets Velero create the objects of backups again that it finds in the bucket.
func (w *world) syncBackups() {
	const syncPeriod = time.Minute // Velero's own
	for _, b := range w.velero.bucket {
		if w.backups[b.Name] != nil || w.now.Sub(w.truth.backups[b.Name].began) < syncPeriod {
			continue
		}
		again := b.DeepCopy()
		again.UID = ""
		w.storeBackup(again)
		w.say("velero", "%s is synced from the bucket", b.Name)
	}
	w.velero.bucket = nil
}

func (w *world) stamp() *metav1.Time {
	t := metav1.NewTime(w.now.Truncate(time.Second))
	return &t
}

// setLocation sets the phase of the storage location.
func (w *world) setLocation(phase velerov1.BackupStorageLocationPhase) {
	w.remember()
	w.location = gen.Location("main", gen.DefaultLocation(), gen.LocationStatus(phase, ""))
	w.tell()
	w.say("velero", "storage location is %s", phase)
}
