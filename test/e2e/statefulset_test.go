// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/cluster/devcluster"
)

// statefulSet is a part of the shop, of three pods.
func statefulSet(name, version, strategy string) *appsv1.StatefulSet {
	labels := map[string]string{"app.kubernetes.io/name": name, partOf: "shop"}
	s := &appsv1.StatefulSet{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "StatefulSet"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
	}
	s.Spec.Replicas = new(int32(3))
	s.Spec.PodManagementPolicy = appsv1.ParallelPodManagement
	s.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"app.kubernetes.io/name": name}}
	s.Spec.Template.Labels = labels
	s.Spec.Template.Spec.Containers = []corev1.Container{{Name: name, Image: image(name, version)}}
	if err := json.Unmarshal([]byte(strategy), &s.Spec.UpdateStrategy); err != nil {
		panic(err)
	}
	return s
}

func partition(n int32) string {
	return fmt.Sprintf(`{"type":"RollingUpdate","rollingUpdate":{"partition":%d}}`, n)
}

// newSet deploys an application that is the StatefulSet "db", under a plan that was written for it.
func newSet(t *testing.T, strategy string) *app {
	t.Helper()
	a := newNamespace(t, shared)
	a.dev.feed(plan(""), "apply", "-f", "-")
	a.deploySet("db", strategy)
	a.await("the gate is proven", func() error { return a.planSays(v1alpha1.ConditionGated, v1alpha1.ReasonProbeHeld) })
	a.awaitRemembered()
	return a
}

func (a *app) deploySet(name, strategy string) {
	a.t.Helper()
	a.dev.feed(manifest(statefulSet(name, firstVersion, strategy)), "apply", "--server-side", "-f", "-")
	a.await(name+" runs", func() error { return a.setRuns(name, firstVersion) })
}

func (a *app) setImageOfSet(name, version string) {
	a.t.Helper()
	a.dev.run("set", "image", "statefulset/"+name, name+"="+image(name, version))
}

func (a *app) set(name string) *appsv1.StatefulSet { return get(a, &appsv1.StatefulSet{}, name) }

// setRuns says why a StatefulSet does not run a version with all its pods; nil if it does.
func (a *app) setRuns(name, version string) error {
	s := a.set(name)
	if len(s.Spec.Template.Spec.Containers) == 0 || s.Spec.Template.Spec.Containers[0].Image != image(name, version) {
		return fmt.Errorf("%s does not ask for %s", name, version)
	}
	st := s.Status
	if st.ObservedGeneration < s.Generation || st.UpdatedReplicas != *s.Spec.Replicas || st.AvailableReplicas != st.UpdatedReplicas || st.Replicas != st.UpdatedReplicas {
		return fmt.Errorf("%s: %+v", name, st)
	}
	return nil
}

// setHeld fails the test unless "db" is held, and says what its user wants of the partition.
func (a *app) setHeld(wish string) {
	a.t.Helper()
	s := live(a, &appsv1.StatefulSet{}, "db")
	if p := s.Spec.UpdateStrategy.RollingUpdate; p == nil || *p.Partition != 2147483647 || s.Annotations[v1alpha1.AnnotationHeldBy] != a.namespace+"/"+planName {
		a.t.Errorf("db is not held: %+v %v", s.Spec.UpdateStrategy, s.Annotations)
	}
	if got := s.Annotations[v1alpha1.AnnotationPartition]; got != wish {
		a.t.Errorf("the recorded partition is %q, want %q", got, wish)
	}
}

// runsPods waits until "db" has pods of these versions, by their ordinals, all of them ready.
func (a *app) runsPods(versions ...string) {
	a.t.Helper()
	want := make([]string, len(versions))
	for i, version := range versions {
		want[i] = image("db", version)
	}
	a.await(fmt.Sprintf("pods of %v", versions), func() error {
		list := &corev1.PodList{}
		if err := a.watched.List(a.t.Context(), list, client.InNamespace(a.namespace)); err != nil {
			return err
		}
		got := make([]string, 0, len(list.Items))
		for i := range list.Items {
			ready := slices.ContainsFunc(list.Items[i].Status.Conditions, func(c corev1.PodCondition) bool {
				return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
			})
			if p := &list.Items[i]; p.DeletionTimestamp == nil && ready {
				got = append(got, p.Spec.Containers[0].Image)
			}
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("they are of %v", got)
		}
		return nil
	})
}

// strategyIs fails the test unless the update strategy of "db" is what it was.
func (a *app) strategyIs(was appsv1.StatefulSetUpdateStrategy) {
	a.t.Helper()
	if diff := cmp.Diff(was, live(a, &appsv1.StatefulSet{}, "db").Spec.UpdateStrategy); diff != "" {
		a.t.Errorf("the update strategy (-was +is):\n%s", diff)
	}
}

// Whatever changes the template, no pod of it runs before the backup is Completed.
func TestPromise1_StatefulSetStartsAfterItsBackup(t *testing.T) {
	t.Parallel()
	next := func() string { return manifest(statefulSet("db", "1.5.0", `{}`)) }
	for name, test := range map[string]struct {
		strategy, version string
		change            func(a *app)
	}{
		"set image":                {`{}`, "1.5.0", func(a *app) { a.setImageOfSet("db", "1.5.0") }},
		"apply server-side":        {`{}`, "1.5.0", func(a *app) { a.dev.feed(next(), "apply", "--server-side", "-f", "-") }},
		"replace":                  {`{}`, "1.5.0", func(a *app) { a.dev.feed(next(), "replace", "-f", "-") }},
		"without a rolling update": {`{"type":"RollingUpdate"}`, "1.5.0", func(a *app) { a.setImageOfSet("db", "1.5.0") }},
		"several pods at once":     {`{"rollingUpdate":{"maxUnavailable":2},"type":"RollingUpdate"}`, "1.5.0", func(a *app) { a.setImageOfSet("db", "1.5.0") }},
		"template annotation": {`{}`, firstVersion, func(a *app) {
			a.dev.run("patch", "statefulset", "db", "--type=merge", "--patch", `{"spec":{"template":{"metadata":{"annotations":{"checksum/config":"2"}}}}}`)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newSet(t, test.strategy)
			before, was := a.look(), live(a, &appsv1.StatefulSet{}, "db")
			test.change(a)
			a.releasedByBackup(test.version)
			s := live(a, &appsv1.StatefulSet{}, "db")
			if err := a.setRuns("db", test.version); err != nil {
				t.Errorf("it rolled out, and %v", err)
			}
			backups := a.newBackups(before)
			if len(backups) != 1 {
				t.Fatalf("%d backups for one rollout\n%s", len(backups), a.diagnosis())
			}
			completed, first := a.completedAt(&backups[0]), a.firstOf(a.namespace, s.Status.UpdateRevision)
			if completed == 0 || first <= completed || s.Status.UpdateRevision == was.Status.UpdateRevision {
				t.Errorf("the first pod of %s came at revision %d, backup %s was Completed at %d", s.Status.UpdateRevision, first, backups[0].Name, completed)
			}
			a.strategyIs(was.Spec.UpdateStrategy)
			if prev := a.release(test.version).Status.Rollouts[0].Workloads[0].PreviousRevision; prev != was.Status.UpdateRevision {
				t.Errorf("the release says that %q ran before, not %q", prev, was.Status.UpdateRevision)
			}
		})
	}
}

// While it is held Kubernetes goes on to heal and to scale it, with the template that ran.
func TestStatefulSetHealsAndScalesWhileHeld(t *testing.T) {
	a := newSet(t, `{}`)
	a.stopVelero(t)
	a.setImageOfSet("db", "1.5.0")
	a.awaitHeld("db")
	a.setHeld("0")
	const old = firstVersion
	for _, pod := range []string{"db-0", "db-2"} {
		a.dev.run("delete", "pod", pod)
		a.runsPods(old, old, old)
	}
	a.dev.run("scale", "statefulset/db", "--replicas=5")
	a.runsPods(old, old, old, old, old)
	a.dev.run("scale", "statefulset/db", "--replicas=1")
	a.runsPods(old)
	a.dev.run("scale", "statefulset/db", "--replicas=3")
	a.runsPods(old, old, old)
	a.dev.run("patch", "statefulset", "db", "--type=merge", "--patch", `{"spec":{"updateStrategy":`+partition(1)+`}}`)
	a.setHeld("1")

	// Taken back, it is released at once, with the partition that its user has asked for since.
	a.setImageOfSet("db", old)
	a.awaitOutcome("1.5.0", v1alpha1.OutcomeReverted)
	if p := live(a, &appsv1.StatefulSet{}, "db").Spec.UpdateStrategy.RollingUpdate.Partition; *p != 1 {
		t.Errorf("released with partition %d", *p)
	}
	if a.everRan(a.namespace, image("db", "1.5.0")) {
		t.Error("a pod of the version that was held ran")
	}
	a.restart(t, devcluster.Velero)
}

// A user who partitions a rolling update gets what they ask for, once the backup is Completed. kubectl calls it complete then; it
// has not rolled out.
func TestStatefulSetIsReleasedToThePartitionOfItsUser(t *testing.T) {
	t.Parallel()
	a := newSet(t, partition(2))
	was := live(a, &appsv1.StatefulSet{}, "db").Spec.UpdateStrategy
	a.setImageOfSet("db", "1.5.0")
	a.runsPods(firstVersion, firstVersion, "1.5.0")
	a.strategyIs(was)
	a.dev.run("rollout", "status", "statefulset/db", "--timeout=60s")
	a.await("the release is rolling out", func() error { return a.releaseSays("1.5.0", v1alpha1.ConditionReady, v1alpha1.ReasonRollingOut) })
	a.dev.run("patch", "statefulset", "db", "--type=merge", "--patch", `{"spec":{"updateStrategy":`+partition(0)+`}}`)
	a.runsPods("1.5.0", "1.5.0", "1.5.0")
	a.releasedByBackup("1.5.0")
}

// A partition that keeps every pod is a pause of the user's own: nothing is released until it is lowered.
func TestStatefulSetThatItsUserPausedWaitsForThem(t *testing.T) {
	t.Parallel()
	a := newSet(t, partition(3))
	a.setImageOfSet("db", "1.5.0")
	a.await("the release waits for its user", func() error { return a.releaseSays("1.5.0", v1alpha1.ConditionReady, v1alpha1.ReasonPaused) })
	a.setHeld("3")
	a.dev.run("patch", "statefulset", "db", "--type=merge", "--patch", `{"spec":{"updateStrategy":`+partition(0)+`}}`)
	a.releasedByBackup("1.5.0")
	a.runsPods("1.5.0", "1.5.0", "1.5.0")
}

// An override starts it at once, with the partition of its user.
func TestStatefulSetOverride(t *testing.T) {
	a := newSet(t, `{}`)
	a.stopVelero(t)
	was := live(a, &appsv1.StatefulSet{}, "db").Spec.UpdateStrategy
	a.setImageOfSet("db", "1.5.0")
	a.awaitHeld("db")
	a.root.run("annotate", "statefulset", "db", v1alpha1.AnnotationOverride+"=outage")
	a.strategyIs(was)
	a.runsPods("1.5.0", "1.5.0", "1.5.0")
	rollout := a.awaitOutcome("1.5.0", v1alpha1.OutcomeRolledOut)
	if rec := rollout.Workloads[0]; rec.StartReason != v1alpha1.StartOverridden || rec.Override == nil || rec.Override.Reason != "outage" {
		t.Errorf("the record is %+v", rec)
	}
	a.restart(t, devcluster.Velero)
}

// What a plan held that is deleted is released, as it was.
func TestStatefulSetOfAPlanThatIsDeletedIsReleased(t *testing.T) {
	a := newSet(t, `{"type":"RollingUpdate"}`)
	a.stopVelero(t)
	was := live(a, &appsv1.StatefulSet{}, "db").Spec.UpdateStrategy
	a.setImageOfSet("db", "1.5.0")
	a.awaitHeld("db")
	a.setHeld(v1alpha1.PartitionNone)
	a.root.run("delete", "drplan", planName)
	a.runsPods("1.5.0", "1.5.0", "1.5.0")
	a.strategyIs(was)
	a.restart(t, devcluster.Velero)
}

// Deleted without its pods and created again, it rolls over them: creation is not held.
func TestPromise1_StatefulSetOverOrphanedPodsIsReportedWithinSeconds(t *testing.T) {
	a := newSet(t, `{}`)
	before := a.look()
	a.dev.run("delete", "statefulset", "db", "--cascade=orphan")
	a.dev.feed(manifest(statefulSet("db", "1.5.0", `{}`)), "apply", "--server-side", "-f", "-")
	a.awaitEscapeOf("StatefulSet", "db", "1.5.0")
	a.awaitBackups(before, 1)
}

// Scaled to none, the update that is held counts as complete to its controller (kubernetes/kubernetes#121534): scaled up again it
// starts, which no policy sees. It is told as an escape, and backed up.
func TestScalingUpFromNoneAHeldStatefulSetIsToldAndBackedUp(t *testing.T) {
	a := newSet(t, `{}`)
	a.stopVelero(t)
	was := live(a, &appsv1.StatefulSet{}, "db").Spec.UpdateStrategy
	a.setImageOfSet("db", "1.5.0")
	a.awaitHeld("db")
	a.dev.run("scale", "statefulset/db", "--replicas=0")
	a.runsPods()
	a.dev.run("scale", "statefulset/db", "--replicas=3")
	a.awaitEscapeOf("StatefulSet", "db", "1.5.0")
	a.await("the plan does too", func() error { return a.planSays(v1alpha1.ConditionReady, v1alpha1.ReasonEscaped) })
	a.runsPods("1.5.0", "1.5.0", "1.5.0")
	a.await("the hold is gone, since it holds nothing any more", func() error { return a.setRuns("db", "1.5.0") })
	a.restart(t, devcluster.Velero)
	a.await("backed up", func() error { return a.planSays(v1alpha1.ConditionReady, v1alpha1.ReasonReconciled) })
	a.strategyIs(was)
}
