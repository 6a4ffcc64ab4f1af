// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/cluster/devcluster"
)

// escapeLimit is how soon a start that nobody admitted has to be reported.
const escapeLimit = 5 * time.Second

// awaitEscape waits until a version of the Deployment "web" is reported as escaped, on release and plan, within seconds.
func (a *app) awaitEscape(version string) {
	a.t.Helper()
	a.awaitEscapeOf("Deployment", "web", version)
}

// awaitEscapeOf does so for another workload.
func (a *app) awaitEscapeOf(kind, name, version string) {
	a.t.Helper()
	a.awaitWithin(escapeLimit, "the release reports the escape", func() error {
		rollouts := a.release(version).Status.Rollouts
		if len(rollouts) == 0 || len(rollouts[0].Workloads) == 0 || rollouts[0].Workloads[0].StartReason != v1alpha1.StartNotHeld {
			return fmt.Errorf("its rollouts are %+v", rollouts)
		}
		return nil
	})
	a.await("an event warns", func() error { return a.warned(kind, name, v1alpha1.ReasonEscaped) })
}

// awaitRemembered waits until the plan remembers its only workload, and the ReplicaSet that runs.
func (a *app) awaitRemembered() {
	a.t.Helper()
	a.await("the plan knows it", func() error {
		if w := a.plan().Status.Workloads; len(w) != 1 || w[0].Revision == "" {
			return fmt.Errorf("it remembers %+v", w)
		}
		return nil
	})
}

// awaitDeparted waits until the plan knows that a workload left it.
func (a *app) awaitDeparted() {
	a.t.Helper()
	a.await("it left the plan", func() error {
		if departed := a.plan().Status.Departed; len(departed) != 1 {
			return fmt.Errorf("departed: %+v", departed)
		}
		return nil
	})
}

// bareReplicaSet is a ReplicaSet that nobody owns, of the template that a Deployment asks for.
func (a *app) bareReplicaSet(name string, annotations map[string]string) string {
	d := live(a, &appsv1.Deployment{}, "web")
	set := &appsv1.ReplicaSet{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "ReplicaSet"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: d.Spec.Template.Labels, Annotations: annotations},
	}
	set.Spec.Replicas = d.Spec.Replicas
	set.Spec.Template = d.Spec.Template
	set.Spec.Selector = d.Spec.Selector
	return manifest(set)
}

// A ReplicaSet that nobody owns is adopted by the held Deployment, and its pods run before the backup began. No policy sees that
// for what it is: it is reported within seconds, and its record never says that a backup came before it.
func TestPromise1_AdoptedReplicaSetIsReportedWithinSeconds(t *testing.T) {
	for name, annotations := range map[string]map[string]string{
		"beside what runs": nil,
		"with the annotation that completes the rollout": {
			"deployment.kubernetes.io/desired-replicas": "2", "deployment.kubernetes.io/max-replicas": "3",
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := newApp(t, shared, "web")
			a.stopVelero(t)
			a.setImage("web", "1.5.0")
			a.awaitHeld("web")
			a.dev.feed(a.bareReplicaSet("web-aside", annotations), "apply", "-f", "-")
			a.awaitEscape("1.5.0")
			a.await("the plan says so", func() error { return a.planSays(v1alpha1.ConditionReady, v1alpha1.ReasonEscaped) })
			a.restart(t, devcluster.Velero)
			a.await("it runs in the end", func() error { return a.runs("web", "1.5.0") })
			a.await("it is backed up", func() error { return a.planSays(v1alpha1.ConditionReady, v1alpha1.ReasonReconciled) })
			if why := a.release("1.5.0").Status.Rollouts[0].Workloads[0].StartReason; why != v1alpha1.StartNotHeld {
				t.Errorf("the record says %s in the end", why)
			}
		})
	}
}

// A Deployment that is deleted without its pods, and created again with another template, adopts and replaces them. Its creation
// is not held.
func TestPromise1_RolloverOfOrphanedPodsIsReportedWithinSeconds(t *testing.T) {
	for name, label := range map[string]string{"plain": "", "with the label of a restore": "velero.io/restore-name"} {
		t.Run(name, func(t *testing.T) { rolloverOfOrphanedPods(t, label) })
	}
}

func rolloverOfOrphanedPods(t *testing.T, label string) {
	a := newApp(t, shared, "web")
	a.awaitRemembered()
	before := a.look()
	a.dev.run("delete", "deployment", "web", "--cascade=orphan")
	again := deployment("web", "1.5.0")
	if label != "" {
		again.Labels[label] = "none"
	}
	a.dev.feed(manifest(again), "apply", "-f", "-")
	a.awaitEscape("1.5.0")
	a.awaitBackups(before, 1)
}

// Label off, change, label on.
func TestPromise1_ChangeOutsideThePlanIsReportedWithinSeconds(t *testing.T) {
	a := newApp(t, shared, "web")
	before := a.look()
	a.dev.run("label", "deployment", "web", partOf+"-")
	a.awaitDeparted()
	a.setImage("web", "1.5.0")
	a.await("it rolled out", func() error { return a.runs("web", "1.5.0") })
	a.dev.run("label", "deployment", "web", partOf+"=shop")
	a.awaitEscape("1.5.0")
	a.awaitBackups(before, 1)
}

// The same where nothing is left of what ran, and the plan changes what means a restart meanwhile.
func TestPromise1_ChangeOutsideThePlanIsReportedThoughNothingIsLeftOfWhatRan(t *testing.T) {
	a := newApp(t, shared, "web")
	a.awaitRemembered()
	before, ran := a.look(), a.plan().Status.Workloads[0].Revision
	a.dev.run("label", "deployment", "web", partOf+"-")
	a.awaitDeparted()
	a.setImage("web", "1.5.0")
	a.await("it rolled out", func() error { return a.runs("web", "1.5.0") })
	a.dev.run("delete", "replicaset", ran)
	a.dev.run("patch", "drplan", planName, "--type=merge", "--patch", `{"spec":{"gate":{"restartAnnotations":["example.com/restarted"]}}}`)
	a.await("the plan is decided anew", func() error {
		if p := a.plan(); p.Status.ObservedGeneration != p.Generation {
			return fmt.Errorf("it is of generation %d", p.Status.ObservedGeneration)
		}
		return nil
	})
	a.dev.run("label", "deployment", "web", partOf+"=shop")
	a.awaitEscape("1.5.0")
	a.awaitBackups(before, 1)
}

// The record that the operator writes in the patch which admits a workload travels to the ReplicaSet that this patch started.
func TestAdmissionTravelsToTheReplicaSet(t *testing.T) {
	a := newApp(t, shared, "web")
	a.setImage("web", "1.5.0")
	a.awaitOutcome("1.5.0", v1alpha1.OutcomeRolledOut)
	record := live(a, &appsv1.Deployment{}, "web").Annotations[v1alpha1.AnnotationAdmitted]
	backup := a.release("1.5.0").Status.Rollouts[0].Backup.Name
	for _, part := range []string{`"reason":"BackupCompleted"`, `"rollout":1`, `"backup":"` + backup + `"`} {
		if !strings.Contains(record, part) {
			t.Errorf("the record does not say %s: %s", part, record)
		}
	}
	starts := a.startsOf(a.namespace, "web")
	set := live(a, &appsv1.ReplicaSet{}, starts[len(starts)-1].set.Name)
	if got := set.Annotations[v1alpha1.AnnotationAdmitted]; got != record {
		t.Errorf("the ReplicaSet carries %q", got)
	}
	a.dev.run("annotate", "deployment", "web", v1alpha1.AnnotationAdmitted+"=forged", "--overwrite")
	if got := live(a, &appsv1.Deployment{}, "web").Annotations[v1alpha1.AnnotationAdmitted]; got != record {
		t.Errorf("a user changed the record to %q", got)
	}
}
