// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package workload_test

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/workload"
	"github.com/backstay-dr/backstay/test/gen"
)

// setImage changes the template of a StatefulSet.
func setImage(tag string) func(*appsv1.StatefulSet) {
	return func(s *appsv1.StatefulSet) { s.Spec.Template.Spec.Containers[0].Image = "registry.example/db:" + tag }
}

// heldSet holds one that asks for another partition, as the admission policy does.
func heldSet(wish string) func(*appsv1.StatefulSet) {
	return func(s *appsv1.StatefulSet) {
		gen.Partition(math.MaxInt32)(s)
		s.Annotations = map[string]string{v1alpha1.AnnotationHeldBy: s.Namespace + "/shop", v1alpha1.AnnotationPartition: wish}
	}
}

// status is a status of the generation that the StatefulSet has.
func status(st appsv1.StatefulSetStatus) func(*appsv1.StatefulSet) {
	return func(s *appsv1.StatefulSet) {
		st.ObservedGeneration = s.Generation
		s.Status = st
	}
}

// admittedSet says that the operator admitted the template that the image of a tag makes.
func admittedSet(tag string) func(*appsv1.StatefulSet) {
	return func(s *appsv1.StatefulSet) {
		template := workload.StatefulSet.View(gen.StatefulSet("db", setImage(tag)), nil).Template.Hash
		raw, _ := json.Marshal(workload.Admission{UID: s.UID, Template: template, Plan: "shop"})
		if s.Annotations == nil {
			s.Annotations = map[string]string{}
		}
		s.Annotations[v1alpha1.AnnotationAdmitted] = string(raw)
	}
}

// viewSet is the view of a StatefulSet with the revisions db-1 to db-3, as the cache has them.
func viewSet(changes ...func(*appsv1.StatefulSet)) workload.View {
	s := gen.StatefulSet("db", changes...)
	var revisions []workload.Object
	for i, tag := range []string{"1", "2", "3"} {
		revision := gen.ControllerRevision(gen.StatefulSet("db", setImage(tag)), i+1, epoch.Add(time.Duration(i)*2*time.Hour))
		workload.Slim(revision)
		workload.Slim(revision) // transforms may see an object twice
		revisions = append(revisions, revision)
	}
	workload.Slim(s)
	return workload.StatefulSet.View(s, revisions)
}

// What runs of a StatefulSet is found in its status: which revision the next pod gets, and how many pods each has.
func TestStatefulSetRevisions(t *testing.T) {
	type pods = map[string][2]int32 // by name: that exist or are wanted, and that are ready
	st := func(current, update string, replicas, ofCurrent, ofUpdate, ready int32) func(*appsv1.StatefulSet) {
		return status(appsv1.StatefulSetStatus{
			CurrentRevision: current, UpdateRevision: update,
			Replicas: replicas, CurrentReplicas: ofCurrent, UpdatedReplicas: ofUpdate, ReadyReplicas: ready,
		})
	}
	none := func(s *appsv1.StatefulSet) { s.Spec.Replicas = new(int32(0)) }
	for name, tc := range map[string]struct {
		changes []func(*appsv1.StatefulSet)
		want    pods
	}{
		"settled":            {[]func(*appsv1.StatefulSet){setImage("1"), st("db-1", "db-1", 3, 3, 3, 3)}, pods{"db-1": {3, 3}}},
		"held":               {[]func(*appsv1.StatefulSet){setImage("2"), heldSet("0"), st("db-1", "db-2", 3, 3, 0, 3)}, pods{"db-1": {3, 3}}},
		"held, evicted":      {[]func(*appsv1.StatefulSet){setImage("2"), heldSet("0"), st("db-1", "db-2", 3, 2, 0, 2)}, pods{"db-1": {3, 2}}},
		"released":           {[]func(*appsv1.StatefulSet){setImage("2"), st("db-1", "db-2", 3, 3, 0, 3)}, pods{"db-1": {3, 3}, "db-2": {0, 0}}},
		"rolling out":        {[]func(*appsv1.StatefulSet){setImage("2"), st("db-1", "db-2", 3, 2, 1, 3)}, pods{"db-1": {2, 2}, "db-2": {1, 1}}},
		"the new one fails":  {[]func(*appsv1.StatefulSet){setImage("2"), st("db-1", "db-2", 3, 2, 1, 2)}, pods{"db-1": {2, 1}, "db-2": {1, 0}}},
		"bypassed the hold":  {[]func(*appsv1.StatefulSet){setImage("2"), heldSet("0"), st("db-1", "db-2", 3, 2, 1, 3)}, pods{"db-1": {2, 2}, "db-2": {1, 1}}},
		"scaled to none":     {[]func(*appsv1.StatefulSet){setImage("2"), heldSet("0"), none, st("db-1", "db-2", 0, 0, 0, 0)}, pods{"db-1": {0, 0}}},
		"and up again":       {[]func(*appsv1.StatefulSet){setImage("2"), heldSet("0"), st("db-1", "db-2", 0, 0, 0, 0)}, pods{"db-1": {3, 0}}},
		"which completed it": {[]func(*appsv1.StatefulSet){setImage("2"), heldSet("0"), st("db-2", "db-2", 0, 0, 0, 0)}, pods{"db-2": {3, 0}}},
		"created over pods that were left": {[]func(*appsv1.StatefulSet){setImage("2"), func(s *appsv1.StatefulSet) {
			s.CreationTimestamp = metav1.NewTime(epoch.Add(time.Hour))
		}, st("db-2", "db-2", 3, 1, 1, 3)}, pods{"db-1": {2, 2}, "db-2": {1, 1}}},
		"held in a rollout": {
			[]func(*appsv1.StatefulSet){setImage("3"), heldSet("0"), admittedSet("2"), st("db-1", "db-3", 3, 1, 0, 3)}, pods{"db-1": {1, 1}, "db-2": {2, 2}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := pods{}
			for _, r := range viewSet(tc.changes...).Revisions {
				got[r.Name] = [2]int32{r.Pods, r.Ready}
				if want := min(r.Pods, 3); r.Replicas != want {
					t.Errorf("%d pods of %s are wanted, not %d", r.Replicas, r.Name, want)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("revisions (-want +got):\n%s", diff)
			}
		})
	}
}

// A revision has the hash of the template that it was made of, cut for the cache or not.
func TestStatefulSetRevisionsAreComparedWithTemplates(t *testing.T) {
	s := gen.StatefulSet("db", setImage("1"), heldSet("0"), func(s *appsv1.StatefulSet) {
		s.Spec.Template.Annotations = map[string]string{"checksum/config": "1", "restart": "now"}
	})
	s.Status = appsv1.StatefulSetStatus{CurrentRevision: "db-1", UpdateRevision: "db-2"}
	whole, cut := gen.ControllerRevision(s, 1, epoch), gen.ControllerRevision(s, 1, epoch)
	workload.Slim(cut)
	for name, revision := range map[string]*appsv1.ControllerRevision{"whole": whole, "cut": cut, "copied": cut.DeepCopy()} {
		v := workload.StatefulSet.View(s, []workload.Object{revision}, "restart")
		if len(v.Revisions) != 1 || !cmp.Equal(v.Revisions[0].Template, v.Template) {
			t.Errorf("%s: %+v is not %+v", name, v.Revisions, v.Template)
		}
	}
}

// A newer Kubernetes may default a field that an older revision does not have: what its controller takes for the same is.
func TestStatefulSetUpdatedRevisionIsWhatIsAskedFor(t *testing.T) {
	s := gen.StatefulSet("db", setImage("newer"), status(appsv1.StatefulSetStatus{CurrentRevision: "db-1", UpdateRevision: "db-1", UpdatedReplicas: 3, Replicas: 3}))
	old := gen.ControllerRevision(gen.StatefulSet("db", setImage("older")), 1, epoch)
	if v := workload.StatefulSet.View(s, []workload.Object{old}); v.Revisions[0].Template.Hash != v.Template.Hash {
		t.Error("the revision differs from what its controller made it of")
	}
	s.Generation++
	if v := workload.StatefulSet.View(s, []workload.Object{old}); v.Revisions[0].Template.Hash == v.Template.Hash {
		t.Error("a revision that the controller has not compared yet passes for the new template")
	}
}

// The API server takes any data of a ControllerRevision. None passes for a template that the cache has cut.
func TestStatefulSetRevisionCannotForgeAHash(t *testing.T) {
	s := gen.StatefulSet("db", heldSet("0"))
	s.Status.CurrentRevision = "db-1"
	want := workload.StatefulSet.View(s, nil).Template.Hash
	slim := s.DeepCopy()
	workload.Slim(slim)
	slim.Spec.Template.Spec.Containers = nil
	forged := gen.ControllerRevision(slim, 1, epoch)
	for name, raw := range map[string][]byte{"cut": forged.Data.Raw, "no object": []byte(`[]`), "nothing": nil} {
		forged.Data = runtime.RawExtension{Raw: raw}
		for range 2 { // and cut for the cache
			if got := workload.StatefulSet.View(s, []workload.Object{forged}).Revisions[0].Template.Hash; got == want {
				t.Errorf("%s: a revision passes for the template of the workload", name)
			}
			workload.Slim(forged)
		}
	}
}

// DaemonSets have ControllerRevisions too: nothing of them is kept, and they belong to no workload.
func TestRevisionsOfDaemonSetsAreNobodys(t *testing.T) {
	revision := gen.ControllerRevision(gen.StatefulSet("db"), 1, epoch)
	revision.OwnerReferences[0].Kind = "DaemonSet"
	workload.Slim(revision)
	if len(revision.OwnerReferences) > 0 || len(revision.Data.Raw) > 0 || len(revision.Labels) > 0 {
		t.Errorf("kept %+v", revision)
	}
}

// `kubectl rollout status` calls a StatefulSet complete that is partitioned, and kstatus one that is held.
func TestStatefulSetRolledOut(t *testing.T) {
	done := appsv1.StatefulSetStatus{CurrentRevision: "db-2", UpdateRevision: "db-2", Replicas: 3, CurrentReplicas: 3, UpdatedReplicas: 3, ReadyReplicas: 3, AvailableReplicas: 3}
	with := func(change func(*appsv1.StatefulSetStatus)) func(*appsv1.StatefulSet) {
		st := done
		change(&st)
		return status(st)
	}
	for name, tc := range map[string]struct {
		changes []func(*appsv1.StatefulSet)
		want    bool
	}{
		"every pod":              {[]func(*appsv1.StatefulSet){status(done)}, true},
		"held":                   {[]func(*appsv1.StatefulSet){heldSet("0"), status(done)}, false},
		"those above partition":  {[]func(*appsv1.StatefulSet){gen.Partition(2), with(func(s *appsv1.StatefulSetStatus) { s.UpdatedReplicas = 1 })}, false},
		"one is not available":   {[]func(*appsv1.StatefulSet){with(func(s *appsv1.StatefulSetStatus) { s.AvailableReplicas = 2 })}, false},
		"one of another is left": {[]func(*appsv1.StatefulSet){with(func(s *appsv1.StatefulSetStatus) { s.Replicas = 4 })}, false},
		"not looked at yet":      {[]func(*appsv1.StatefulSet){status(done), func(s *appsv1.StatefulSet) { s.Generation++ }}, false},
		"every pod, on deletion": {[]func(*appsv1.StatefulSet){onDelete, status(done)}, true},
	} {
		if got := viewSet(tc.changes...).RolledOut; got != tc.want {
			t.Errorf("%s: rolled out %t, want %t", name, got, tc.want)
		}
	}
}

func onDelete(s *appsv1.StatefulSet) {
	s.Spec.UpdateStrategy = appsv1.StatefulSetUpdateStrategy{Type: appsv1.OnDeleteStatefulSetStrategyType}
}

func TestStatefulSetHold(t *testing.T) {
	for name, tc := range map[string]struct {
		change                         func(*appsv1.StatefulSet)
		held, userPaused, cannotBeHeld bool
	}{
		"not":                             {gen.Partition(0), false, false, false},
		"partitioned by a user":           {gen.Partition(5), false, false, false},
		"by the user":                     {gen.Partition(math.MaxInt32), false, false, false},
		"by a plan":                       {heldSet("0"), true, false, false},
		"over a canary":                   {heldSet("2"), true, false, false},
		"over a partition of everything":  {heldSet("3"), true, true, false},
		"over a rolling update of no pod": {heldSet("2147483647"), true, true, false},
		"over no rolling update":          {heldSet(v1alpha1.PartitionNone), true, false, false},
		"with no record":                  {heldSet(""), true, false, false},
		"on deletion":                     {onDelete, false, false, true},
	} {
		v := viewSet(tc.change)
		if v.Held() != tc.held || v.UserPaused != tc.userPaused || v.Unholdable != tc.cannotBeHeld {
			t.Errorf("%s: held %t, paused by a user %t, cannot be held %t", name, v.Held(), v.UserPaused, v.Unholdable)
		}
		if plan, held := workload.StatefulSet.HeldBy(gen.StatefulSet("db", tc.change)); held != tc.held || held && plan != "shop" {
			t.Errorf("%s: held %t by %q", name, held, plan)
		}
	}
}

// The operator leaves the field to the policy that gives it back. Where there is none, it gives back what was recorded.
func TestStatefulSetRelease(t *testing.T) {
	rolling := func(partition any) map[string]any {
		return map[string]any{"updateStrategy": map[string]any{"rollingUpdate": partition}}
	}
	for wish, want := range map[string]map[string]any{
		"0":           rolling(map[string]any{"partition": 0.0}),
		"2":           rolling(map[string]any{"partition": 2.0}),
		"none":        rolling(nil),
		"2147483647":  nil,
		"":            rolling(map[string]any{"partition": 0.0}),
		"99999999999": rolling(map[string]any{"partition": 0.0}),
	} {
		v := viewSet(heldSet(wish))
		var patch map[string]any
		if err := json.Unmarshal(workload.ReleasePatch(&v, workload.Admission{}), &patch); err != nil || patch["spec"] != nil {
			t.Errorf("%q: %v, %v", wish, patch, err)
		}
		marks := slices.Sorted(maps.Keys(patch["metadata"].(map[string]any)["annotations"].(map[string]any)))
		if !slices.Contains(marks, v1alpha1.AnnotationPartition) || slices.Contains(marks, v1alpha1.AnnotationUserPaused) {
			t.Errorf("%q: it writes %v", wish, marks)
		}
		spec := workload.StatefulSet.Restore(&v)
		if spec == nil {
			if want != nil {
				t.Errorf("%q: nothing is given back", wish)
			}
			continue
		}
		if err := json.Unmarshal(workload.RestorePatch(&v, workload.Admission{}, spec), &patch); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, patch["spec"]); diff != "" {
			t.Errorf("%q gives back (-want +got):\n%s", wish, diff)
		}
	}
}

func TestStatefulSetChanged(t *testing.T) {
	base := gen.StatefulSet("db", status(appsv1.StatefulSetStatus{CurrentRevision: "db-1", UpdateRevision: "db-2", Replicas: 3, CurrentReplicas: 3, ReadyReplicas: 3}))
	for name, tc := range map[string]struct {
		change func(*appsv1.StatefulSet)
		want   bool
	}{
		"nothing":                     {func(*appsv1.StatefulSet) {}, false},
		"a collision":                 {func(s *appsv1.StatefulSet) { s.Status.CollisionCount = new(int32(1)) }, false},
		"a pod is not ready any more": {func(s *appsv1.StatefulSet) { s.Status.ReadyReplicas-- }, false},
		"generation":                  {func(s *appsv1.StatefulSet) { s.Generation++ }, true},
		"a pod of the new revision":   {func(s *appsv1.StatefulSet) { s.Status.CurrentReplicas, s.Status.UpdatedReplicas = 2, 1 }, true},
		"a pod of neither":            {func(s *appsv1.StatefulSet) { s.Status.CurrentReplicas = 2 }, true},
		"no pod is ready any more":    {func(s *appsv1.StatefulSet) { s.Status.ReadyReplicas = 0 }, true},
		"the current revision":        {func(s *appsv1.StatefulSet) { s.Status.CurrentRevision = "db-2" }, true},
		"label":                       {func(s *appsv1.StatefulSet) { s.Labels["team"] = "red" }, true},
		"annotation":                  {func(s *appsv1.StatefulSet) { s.Annotations = map[string]string{"a": "b"} }, true},
		"deleted and created":         {func(s *appsv1.StatefulSet) { s.UID = "another" }, true},
	} {
		to := base.DeepCopy()
		tc.change(to)
		if got := workload.StatefulSet.Changed(base, to); got != tc.want {
			t.Errorf("%s: changed %t, want %t", name, got, tc.want)
		}
	}
	revision := gen.ControllerRevision(base, 1, epoch)
	orphan := revision.DeepCopy()
	orphan.OwnerReferences = nil
	changed := workload.StatefulSet.Revisions.Changed
	if !changed(nil, revision) || !changed(orphan, revision) || changed(revision, revision) {
		t.Error("a revision counts when it is created, or adopted, and only then")
	}
}

// Nothing of the strategy but the partition is lost in the cache.
func TestStatefulSetSlim(t *testing.T) {
	s := gen.StatefulSet("db", heldSet("2"), func(s *appsv1.StatefulSet) {
		s.Spec.UpdateStrategy.RollingUpdate.MaxUnavailable = new(intstr.FromInt32(2))
	})
	slim := s.DeepCopy()
	workload.Slim(slim)
	if diff := cmp.Diff(workload.StatefulSet.View(s, nil), workload.StatefulSet.View(slim, nil)); diff != "" {
		t.Errorf("the cache loses (-whole +slim):\n%s", diff)
	}
}
