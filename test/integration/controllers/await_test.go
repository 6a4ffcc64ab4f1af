// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/integration/stage"
)

// patience is how long anything may take that is to happen. A busy machine is slow; a defect takes for ever.
const patience = 30 * time.Second

// await waits until the watches show what a condition asks for. The condition returns what it saw instead.
func (s *shop) await(what string, within time.Duration, condition func() (bool, any)) {
	s.Helper()
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, saw := condition()
		if ok {
			return
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			s.Fatalf("%s: not within %s; instead:\n%s", what, within, show(saw))
		}
	}
}

// keepsFor fails the test as soon as a condition does not hold any more. It is for what must not happen, and so can
// only ever be watched for a while.
func (s *shop) keepsFor(within time.Duration, what string, condition func() (bool, any)) {
	s.Helper()
	end := time.NewTimer(within)
	defer end.Stop()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if ok, saw := condition(); !ok {
			s.Fatalf("%s: not any more; instead:\n%s", what, show(saw))
		}
		select {
		case <-tick.C:
		case <-end.C:
			return
		}
	}
}

func contains(text, part string) bool { return strings.Contains(text, part) }

func replaceNamespace(text, namespace string) string {
	return strings.ReplaceAll(text, "NAMESPACE", namespace)
}

func show(saw any) string {
	if text, ok := saw.(string); ok {
		return text
	}
	if obj, ok := saw.(client.Object); ok {
		obj.SetManagedFields(nil)
	}
	raw, err := json.MarshalIndent(saw, "", " ")
	if err != nil {
		return fmt.Sprint(saw)
	}
	return string(raw)
}

// see reads from the watches, and says whether the object exists.
func (s *shop) see(obj client.Object, key client.ObjectKey) bool {
	s.Helper()
	err := s.stage.Seen.Get(s.Context(), key, obj)
	if client.IgnoreNotFound(err) != nil {
		s.Fatal(err)
	}
	return err == nil
}

// rootKey is the key of an object that is in no namespace.
func (s *shop) rootKey(name string) client.ObjectKey { return client.ObjectKey{Name: name} }

func (s *shop) key(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: s.namespace, Name: name}
}

// awaitReady waits until a release is Ready, or is not, for a reason.
func (s *shop) awaitReady(release, reason string) metav1.Condition {
	s.Helper()
	return s.awaitCondition(&v1alpha1.AppRelease{}, release, v1alpha1.ConditionReady, reason, patience)
}

// awaitPlan waits until a condition of the plan "shop" has a reason.
func (s *shop) awaitPlan(conditionType, reason string) metav1.Condition {
	s.Helper()
	return s.awaitCondition(&v1alpha1.DRPlan{}, "shop", conditionType, reason, patience)
}

func (s *shop) awaitCondition(obj client.Object, name, conditionType, reason string, within time.Duration) metav1.Condition {
	s.Helper()
	var found metav1.Condition
	s.await(fmt.Sprintf("%T %s: %s=%s", obj, name, conditionType, reason), within, func() (bool, any) {
		if !s.see(obj, s.key(name)) {
			return false, "it does not exist"
		}
		if c := meta.FindStatusCondition(conditionsOf(obj), conditionType); c != nil {
			found = *c
		}
		return found.Reason == reason, obj
	})
	return found
}

func conditionsOf(obj client.Object) []metav1.Condition {
	if p, ok := obj.(*v1alpha1.DRPlan); ok {
		return p.Status.Conditions
	}
	return obj.(*v1alpha1.AppRelease).Status.Conditions
}

// awaitSettled waits until a plan is gated, and knows what runs and does run.
func (s *shop) awaitSettled(name string) {
	s.Helper()
	s.await("plan "+name+" settled", patience, func() (bool, any) {
		p := &v1alpha1.DRPlan{}
		if !s.see(p, s.key(name)) {
			return false, "it does not exist"
		}
		known := len(p.Status.Workloads) > 0
		for _, w := range p.Status.Workloads {
			d := &appsv1.Deployment{}
			known = known && w.TemplateHash != "" && s.see(d, s.key(w.Name)) && d.Status.UpdatedReplicas > 0
		}
		gated := p.Spec.Gate.Mode != v1alpha1.GateModeHold || meta.IsStatusConditionTrue(p.Status.Conditions, v1alpha1.ConditionGated)
		return known && gated && p.Status.ObservedGeneration == p.Generation, p
	})
}

// awaitBackup waits until the rollout at a place of a release (0 is the newest) has a backup that exists.
func (s *shop) awaitBackup(release string, rollout int) string {
	s.Helper()
	return s.awaitAttempt(release, rollout, 1)
}

func (s *shop) awaitAttempt(release string, rollout int, attempt int32) string {
	s.Helper()
	name := ""
	s.await(fmt.Sprintf("backup of release %s, attempt %d", release, attempt), patience, func() (bool, any) {
		r := &v1alpha1.AppRelease{}
		if !s.see(r, s.key(release)) || len(r.Status.Rollouts) <= rollout {
			return false, r
		}
		b := r.Status.Rollouts[rollout].Backup
		if b == nil || b.Attempt != attempt {
			return false, r
		}
		name = b.Name
		return s.see(&velerov1.Backup{}, client.ObjectKey{Namespace: stage.VeleroNamespace, Name: name}), r
	})
	return name
}

// awaitStarted waits until a Deployment asks for a version and is neither paused nor marked.
func (s *shop) awaitStarted(name, version string) {
	s.Helper()
	s.await(name+" started "+version, patience, func() (bool, any) {
		d := &appsv1.Deployment{}
		ok := s.see(d, s.key(name)) && d.Spec.Template.Spec.Containers[0].Image == image(name, version) &&
			!d.Spec.Paused && d.Annotations[v1alpha1.AnnotationHeldBy] == ""
		return ok, d
	})
}

// awaitMark waits until a Deployment is held under the name of a plan.
func (s *shop) awaitMark(name, plan string) {
	s.Helper()
	s.await(name+" is held by "+plan, patience, func() (bool, any) {
		d := &appsv1.Deployment{}
		return s.see(d, s.key(name)) && d.Spec.Paused && d.Annotations[v1alpha1.AnnotationHeldBy] == s.namespace+"/"+plan, d
	})
}

// mustBeHeld reads a Deployment from the API server and fails the test unless it is held.
func (s *shop) mustBeHeld(name string) {
	s.Helper()
	d := s.workload(name)
	if !d.Spec.Paused || !strings.HasPrefix(d.Annotations[v1alpha1.AnnotationHeldBy], s.namespace+"/") {
		s.Fatalf("%s is not held: paused=%t %v", name, d.Spec.Paused, d.Annotations)
	}
}

// awaitEvent waits for an event on an object, and returns its note.
func (s *shop) awaitEvent(kind, name, reason string) eventsv1.Event {
	s.Helper()
	return s.awaitEventIn(s.namespace, kind, name, reason)
}

// awaitEventIn does so where the event is of another namespace.
func (s *shop) awaitEventIn(namespace, kind, name, reason string) eventsv1.Event {
	s.Helper()
	var found eventsv1.Event
	s.await(fmt.Sprintf("event %s on %s %s", reason, kind, name), patience, func() (bool, any) {
		list := &eventsv1.EventList{}
		if err := s.stage.Seen.List(s.Context(), list, client.InNamespace(namespace)); err != nil {
			s.Fatal(err)
		}
		var seen []string
		for _, e := range list.Items {
			if e.Regarding.Kind == kind && e.Regarding.Name == name && e.Reason == reason {
				found = e
				return true, nil
			}
			seen = append(seen, fmt.Sprintf("%s %s: %s: %s", e.Regarding.Kind, e.Regarding.Name, e.Reason, e.Note))
		}
		return false, seen
	})
	return found
}

// warns fails the test unless an event is a warning whose note has every text.
func (s *shop) warns(e eventsv1.Event, texts ...string) {
	s.Helper()
	if e.Type != corev1.EventTypeWarning {
		s.Errorf("event %s is %s, want a warning", e.Reason, e.Type)
	}
	s.says(e.Note, texts...)
}

// says fails the test unless a message has every text.
func (s *shop) says(message string, texts ...string) {
	s.Helper()
	for _, text := range texts {
		if !strings.Contains(message, text) {
			s.Errorf("the message lacks %q:\n%s", text, message)
		}
	}
}
