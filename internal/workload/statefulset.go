// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"encoding/json"
	"maps"
	"math"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// +kubebuilder:rbac:groups=apps,resources=statefulsets,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=apps,resources=controllerrevisions,verbs=get;list;watch

// StatefulSet is the kind StatefulSet of apps/v1. A partition that no ordinal reaches holds it, and its revisions are
// ControllerRevisions. Unlike a pause, the partition has a value that the user may have chosen. It is recorded, and a policy
// gives it back: what the operator wrote itself it would own, and server-side apply would conflict with it.
var StatefulSet = &Kind{
	Name: v1alpha1.KindStatefulSet,
	Type: Type{
		GroupVersionResource: appsv1.SchemeGroupVersion.WithResource("statefulsets"),

		New:     func() Object { return &appsv1.StatefulSet{} },
		NewList: func() ObjectList { return &appsv1.StatefulSetList{} },
		Items:   func(list ObjectList) []Object { return pointers(list.(*appsv1.StatefulSetList).Items) },
		Slim:    slimStatefulSet,
	},
	Revisions: Revisions{
		Type: Type{
			GroupVersionResource: appsv1.SchemeGroupVersion.WithResource("controllerrevisions"),

			New:     func() Object { return &appsv1.ControllerRevision{} },
			NewList: func() ObjectList { return &appsv1.ControllerRevisionList{} },
			Items:   func(list ObjectList) []Object { return pointers(list.(*appsv1.ControllerRevisionList).Items) },
			Slim:    slimControllerRevision,
		},
		Label: appsv1.ControllerRevisionHashLabelKey,
		// Everything else is in the status of the StatefulSet, which may be read before the revision that it names.
		Changed: func(from, to Object) bool { return from == nil || !sameController(from, to) },
	},
	Controller: "system:serviceaccount:kube-system:statefulset-controller",
	Resume:     "a lower spec.updateStrategy.rollingUpdate.partition",
	View: func(obj Object, revisions []Object, restartAnnotations ...string) View {
		return viewOfStatefulSet(obj.(*appsv1.StatefulSet), revisions, restartAnnotations)
	},
	Paused:  func(obj Object) bool { return partitionOf(obj.(*appsv1.StatefulSet)) == holdPartition },
	Changed: statefulSetChanged,
	Wish:    v1alpha1.AnnotationPartition,
	Unhold:  func(*View) map[string]any { return nil },
	Restore: restorePartition,
	Probe:   map[string]any{"updateStrategy": map[string]any{"rollingUpdate": nil}},
	CEL: CEL{
		Template: "spec.template",
		Holding:  `(%s.spec.?updateStrategy.?rollingUpdate.?partition.orValue(0) == 2147483647)`,
		Holdable: `(%s.spec.?updateStrategy.?type.orValue('RollingUpdate') == 'RollingUpdate')`,
		NotHoldable: `with updateStrategy OnDelete or Recreate nothing keeps an evicted pod from coming back with the new template. ` +
			`Change spec.updateStrategy.type to RollingUpdate first, in a write of its own; its partition does what OnDelete is used for`,
		// A partition other than the one that holds is what the user wants, in this write or from before. The one that holds says
		// nothing: what was recorded counts. That anybody can write the record does no harm: it is as good as the field.
		Wish: `!variables.paused ? (object.spec.?updateStrategy.?rollingUpdate.hasValue() ?
    string(object.spec.?updateStrategy.?rollingUpdate.?partition.orValue(0)) : 'none') :
  variables.marked && ` + validWish("annotations") + ` ? variables.annotations[?WISH].orValue('') :
  variables.wasHeld ? (` + wasWish + `) : '2147483647'`,
		WasWish: wasWish,
		Engage: `[object.spec.?updateStrategy.?rollingUpdate.hasValue() ?
  JSONPatch{op: 'add', path: '/spec/updateStrategy/rollingUpdate/partition', value: 2147483647} :
  JSONPatch{op: 'add', path: '/spec/updateStrategy/rollingUpdate', value: {'partition': 2147483647}}]`,
		Release: `(variables.wish == 'none' && ` + onlyPartition("object") + ` ?
  [JSONPatch{op: 'remove', path: '/spec/updateStrategy/rollingUpdate'}] :
  [JSONPatch{op: 'add', path: '/spec/updateStrategy/rollingUpdate/partition',
    value: variables.wish == 'none' ? 0 : int(variables.wish)}])`,
		Lost:  `variables.held && variables.wasHeld && !` + validWish("annotations"),
		Field: "updateStrategy",
		Bound: `object.spec.?updateStrategy == oldObject.spec.?updateStrategy &&
  (HELD_BY in variables.annotations || !(HELD_BY in variables.oldAnnotations) || !variables.paused || (` + wasWish + `) == '2147483647') ||
variables.releases && object.spec.?updateStrategy.?type == oldObject.spec.?updateStrategy.?type && (
  object.spec.?updateStrategy.?rollingUpdate.hasValue() ?
    object.spec.?updateStrategy.?rollingUpdate.?maxUnavailable == oldObject.spec.?updateStrategy.?rollingUpdate.?maxUnavailable &&
    string(object.spec.?updateStrategy.?rollingUpdate.?partition.orValue(0)) == ((` + wasWish + `) == 'none' ? '0' : (` + wasWish + `)) :
    (` + wasWish + `) == 'none' && ` + onlyPartition("oldObject") + `)`,
	},
}

// holdPartition is the partition that holds: no pod has an ordinal above it, however far the StatefulSet is scaled.
const holdPartition = math.MaxInt32

// validWish is an expression: some annotations record what the user wants in a form that can be given back.
func validWish(annotations string) string {
	return `(variables.` + annotations + `[?WISH].orValue('') == 'none' ||
    variables.` + annotations + `[?WISH].orValue('').matches('^(0|[1-9][0-9]{0,9})$') && int(variables.` + annotations + `[?WISH].orValue('0')) <= 2147483647)`
}

// wasWish is what was recorded. Where the record was lost, Kubernetes' own default is what most want.
var wasWish = validWish("oldAnnotations") + ` ? variables.oldAnnotations[?WISH].orValue('') : '0'`

// onlyPartition is an expression: the rest of rollingUpdate is what Kubernetes defaults it to once there is a partition.
func onlyPartition(object string) string {
	return `string(` + object + `.spec.?updateStrategy.?rollingUpdate.?maxUnavailable.orValue(1)) == '1'`
}

func partitionOf(s *appsv1.StatefulSet) int32 {
	if r := s.Spec.UpdateStrategy.RollingUpdate; r != nil {
		return ptr.Deref(r.Partition, 0)
	}
	return 0
}

// restorePartition gives back what was recorded.
func restorePartition(v *View) map[string]any {
	rolling := map[string]any{"partition": 0}
	switch n, err := strconv.ParseInt(v.Wish, 10, 32); {
	case err == nil && n == holdPartition:
		return nil
	case err == nil && n > 0:
		rolling["partition"] = n
	case v.Wish == v1alpha1.PartitionNone:
		rolling = nil
	}
	return map[string]any{"updateStrategy": map[string]any{"rollingUpdate": rolling}}
}

// userPartitioned reports whether a user wants no pod updated: a partition that is recorded reaches them all.
func userPartitioned(wish string, replicas int32) bool {
	n, err := strconv.ParseInt(wish, 10, 32)
	return err == nil && n > 0 && n >= int64(replicas)
}

func viewOfStatefulSet(s *appsv1.StatefulSet, revisions []Object, restartAnnotations []string) View {
	v := viewOf(Key{Group: v1alpha1.GroupApps, Kind: v1alpha1.KindStatefulSet, Name: s.Name}, s)
	v.Template = fromPodTemplate(&s.Spec.Template, restartAnnotations)
	v.Paused = partitionOf(s) == holdPartition
	v.Wish = s.Annotations[v1alpha1.AnnotationPartition]
	v.UserPaused = userPartitioned(v.Wish, wanted(s))
	strategy := s.Spec.UpdateStrategy.Type
	v.Unholdable = strategy != "" && strategy != appsv1.RollingUpdateStatefulSetStrategyType
	v.RolledOut = statefulSetRolledOut(s)
	v.Observed = s.Status.ObservedGeneration >= s.Generation
	v.Revisions = revisionsOf(s, &v, revisions, restartAnnotations)
	return v
}

// wanted is how many pods of a StatefulSet are.
func wanted(s *appsv1.StatefulSet) int32 { return ptr.Deref(s.Spec.Replicas, 1) }

// statefulSetRolledOut reports whether every pod runs the template that is asked for, and is available. `kubectl rollout status`
// and kstatus call one complete that is partitioned, and whose pods run the old one.
func statefulSetRolledOut(s *appsv1.StatefulSet) bool {
	st := &s.Status
	return partitionOf(s) != holdPartition && st.ObservedGeneration >= s.Generation &&
		st.UpdatedReplicas >= wanted(s) && st.Replicas <= st.UpdatedReplicas && st.AvailableReplicas >= st.UpdatedReplicas
}

// revisionsOf are the revisions of a StatefulSet that run, or that its next pod gets, as its status tells. It does not show
//   - which pods of neither the current nor the updated revision there are: such a pod is on its way out, or runs what was
//     admitted before the update that is under way. See census;
//   - how many pods of each revision are ready. See readyOf;
//   - that a revision without pods was ever started: one is made for each template that is held, too. So those are left out,
//     but for those that are older than the StatefulSet: it was created over what they ran.
func revisionsOf(s *appsv1.StatefulSet, v *View, revisions []Object, restartAnnotations []string) []Revision {
	var found []Revision
	for _, obj := range revisions {
		r := obj.(*appsv1.ControllerRevision)
		rev := Revision{Name: r.Name, Created: r.CreationTimestamp, Template: fromPodTemplate(templateOf(r), restartAnnotations)}
		if r.Name == s.Status.UpdateRevision && v.Observed {
			// The controller found the two equal: fields that a newer Kubernetes defaults are not in an old revision.
			rev.Template = v.Template
		}
		found = append(found, rev)
	}
	pods := census(s, v, found)
	var out []Revision
	for _, rev := range found {
		rev.Pods = pods[rev.Name]
		rev.Ready = readyOf(s, rev.Pods)
		if rev.Replicas = min(rev.Pods, wanted(s)); rev.Name == nextOf(s) && s.Status.Replicas == 0 {
			rev.Replicas, rev.Pods = wanted(s), wanted(s)
		}
		if rev.Pods > 0 || rev.Name == s.Status.CurrentRevision || rev.Name == s.Status.UpdateRevision && !v.Paused || adopted(s, &rev) {
			out = append(out, rev)
		}
	}
	return out
}

// nextOf names the revision of the next pod, of a StatefulSet that has none.
func nextOf(s *appsv1.StatefulSet) string {
	if partitionOf(s) > 0 {
		return s.Status.CurrentRevision
	}
	return s.Status.UpdateRevision
}

// adopted reports whether a revision was there before its StatefulSet: that was deleted without its pods and created again.
func adopted(s *appsv1.StatefulSet, rev *Revision) bool {
	return rev.Created.Before(&s.CreationTimestamp)
}

// census counts the pods of each revision. Those that the status counts for neither run what was last admitted, where that is a
// third revision: it was being rolled out when the next one was held. Or they run what was there before the StatefulSet. Else
// they are on their way out, and taken for current.
func census(s *appsv1.StatefulSet, v *View, revisions []Revision) map[string]int32 {
	st := &s.Status
	pods := map[string]int32{st.CurrentRevision: st.CurrentReplicas}
	pods[st.UpdateRevision] = st.UpdatedReplicas
	rest := st.Replicas - st.UpdatedReplicas
	if st.CurrentRevision != st.UpdateRevision {
		rest -= st.CurrentReplicas
	}
	if rest <= 0 {
		return pods
	}
	to := st.CurrentRevision
	for _, rev := range revisions {
		if rev.Name != st.UpdateRevision && (v.Admitted.Of(rev.Template.Hash) || rev.Name != to && adopted(s, &rev)) {
			to = rev.Name
		}
	}
	pods[to] += rest
	return pods
}

// readyOf is how many of some pods of a StatefulSet are ready at least: as if all others were.
func readyOf(s *appsv1.StatefulSet, pods int32) int32 {
	return max(0, min(pods, s.Status.ReadyReplicas-(s.Status.Replicas-pods)))
}

// templateOf is the pod template of a revision: its controller keeps it as a patch of the StatefulSet. Unlike a template of a
// workload, the API server takes any: one without containers could pass for one that slimTemplate has cut.
func templateOf(r *appsv1.ControllerRevision) *corev1.PodTemplateSpec {
	if cut, ok := r.Data.Object.(*corev1.PodTemplate); ok {
		return &cut.Template
	}
	var patch struct {
		Spec struct{ Template corev1.PodTemplateSpec }
	}
	if err := json.Unmarshal(r.Data.Raw, &patch); err != nil || slimmed(&patch.Spec.Template) {
		return &corev1.PodTemplateSpec{}
	}
	return &patch.Spec.Template
}

func statefulSetChanged(a, b Object) bool {
	from, to := a.(*appsv1.StatefulSet), b.(*appsv1.StatefulSet)
	return from.UID != to.UID || from.Generation != to.Generation || statefulSetRolledOut(from) != statefulSetRolledOut(to) ||
		podsShown(from) != podsShown(to) || !maps.Equal(from.Labels, to.Labels) || !maps.Equal(from.Annotations, to.Annotations)
}

// shown is what the status of a StatefulSet tells of its revisions, as far as a decision looks at it.
type shown struct {
	current, update                         string
	observed, ofCurrent, ofUpdate, ofOthers bool
	currentReady, updateReady               bool
}

func podsShown(s *appsv1.StatefulSet) shown {
	st := &s.Status
	others := st.Replicas - st.UpdatedReplicas
	if st.CurrentRevision != st.UpdateRevision {
		others -= st.CurrentReplicas
	}
	return shown{
		current: st.CurrentRevision, update: st.UpdateRevision, observed: st.ObservedGeneration >= s.Generation,
		ofCurrent: st.CurrentReplicas > 0, ofUpdate: st.UpdatedReplicas > 0, ofOthers: others > 0,
		currentReady: readyOf(s, st.CurrentReplicas) > 0, updateReady: readyOf(s, st.UpdatedReplicas) > 0,
	}
}

func slimStatefulSet(obj any) bool {
	s, ok := obj.(*appsv1.StatefulSet)
	if !ok {
		return false
	}
	slimMeta(&s.ObjectMeta)
	s.OwnerReferences, s.Spec.Selector, s.Spec.VolumeClaimTemplates, s.Status.Conditions = nil, nil, nil, nil
	slimTemplate(&s.Spec.Template)
	return true
}

// slimControllerRevision keeps nothing of one that is no StatefulSet's: DaemonSets have them too.
func slimControllerRevision(obj any) bool {
	r, ok := obj.(*appsv1.ControllerRevision)
	if !ok {
		return false
	}
	slimMeta(&r.ObjectMeta)
	r.Labels, r.Annotations, r.OwnerReferences = nil, nil, controllerOf(r.OwnerReferences)
	template := &corev1.PodTemplate{}
	if len(r.OwnerReferences) > 0 && r.OwnerReferences[0].Kind == string(v1alpha1.KindStatefulSet) {
		template.Template = *templateOf(r)
		slimTemplate(&template.Template)
	} else {
		r.OwnerReferences = nil
	}
	r.Data = runtime.RawExtension{Object: template}
	return true
}
