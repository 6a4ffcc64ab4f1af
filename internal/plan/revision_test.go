// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/gen"
)

// Most charts roll out a changed ConfigMap by an annotation of the pod template with its checksum.
func TestPromise1_ChangedTemplateMetadataIsARevision(t *testing.T) {
	for name, change := range map[string]gen.DeploymentOption{
		"an annotation": gen.TemplateAnnotation("checksum/config", "2"), "a label": gen.TemplateLabel("tier", "gold"),
		"the version label alone": gen.TemplateLabel(gen.LabelVersion, "1.4.3"),
	} {
		t.Run(name, func(t *testing.T) {
			s := shopSim(t, "web")
			s.velero.down = true
			s.edit("web", "user", change)
			s.pass(moment)
			s.mustHold("web")
			if running := s.plans[shop].Status.Versions.Running; running != "1.4.2" {
				t.Errorf("the plan says that %s runs", running)
			}
			s.velero.down = false
			s.pass(aWhile)
			if v := view(s.deployments["web"]); v.Held() {
				t.Error("it is still held")
			}
			s.mustHaveBackups(1)
			s.mustRest()
		})
	}
}

// Where the gate was not in force such a change is found by its ReplicaSet.
func TestEscapeByTemplateMetadataIsRecorded(t *testing.T) {
	s := shopSim(t, "web")
	s.gateUp = false
	s.edit("web", "user", gen.TemplateAnnotation("checksum/config", "2"))
	s.gateUp = true
	s.pass(moment)
	if ro := s.rollout("shop-1.4.2", 0); ro.Cause != v1alpha1.CauseEscaped {
		t.Errorf("the rollout is recorded as %s", ro.Cause)
	}
	s.pass(aWhile)
	s.mustHaveBackups(1)
}

func TestRestartAnnotationsOfThePlanAreNoRevision(t *testing.T) {
	s := shopSim(t, "web")
	s.editPlan(shop, gen.RestartAnnotations("example.com/restarted"))
	s.pass(moment)
	s.edit("web", "user", gen.TemplateAnnotation("example.com/restarted", "now"))
	s.pass(aWhile)
	s.mustHaveBackups(0)
	if len(s.releases) != 0 {
		t.Errorf("there are releases: %v", sorted(s.releases))
	}
	s.mustRun("web", "1.4.2")
	s.set("web", "1.5.0")
	s.pass(aWhile)
	s.mustRun("web", "1.5.0")
	s.mustHaveBackups(1)
}

// An upgrade of the operator, or of its libraries, computes hashes in another way. What was stored before cannot be compared,
// and is no difference.
func TestHashesOfAnotherSchemeAreNoDifference(t *testing.T) {
	s := shopSim(t, "api", "web")
	s.set("web", "1.5.0")
	s.pass(aWhile)
	s.set("web", "1.5.1")
	s.pass(aWhile)
	s.velero.down = true
	s.set("api", "1.5.1")
	s.pass(moment)
	backups := len(s.backups)
	s.away(func() { s.oldScheme() })
	s.pass(aWhile)
	s.mustHold("api")
	s.mustHaveBackups(backups)
	for _, name := range sorted(s.releases) {
		for _, ro := range s.releases[name].Status.Rollouts {
			if ro.Cause == v1alpha1.CauseEscaped {
				t.Errorf("release %s says that something escaped", name)
			}
		}
	}
	if running := s.plans[shop].Status.Versions.Running; running != "1.4.2,1.5.1" {
		t.Errorf("the plan says that %s runs", running)
	}
	mustBe(t, s.planCondition(v1alpha1.ConditionReady), metav1.ConditionTrue, v1alpha1.ReasonReconciled)
	s.velero.down = false
	s.pass(aWhile)
	s.mustRun("api", "1.5.1")
	s.mustRest()
}

// oldScheme makes every stored hash one of another scheme.
func (s *sim) oldScheme() {
	old := func(hash *string) {
		if *hash != "" {
			_, digest, _ := strings.Cut(*hash, "-")
			*hash = "v1-" + digest
		}
	}
	for _, name := range sorted(s.plans) {
		p := s.plans[name].DeepCopy()
		for i := range p.Status.Workloads {
			w := &p.Status.Workloads[i]
			old(&w.TemplateHash)
			for j := range w.OtherRevisions {
				old(&w.OtherRevisions[j].TemplateHash)
			}
		}
		s.stored(p)
		s.plans[name] = p
	}
	for _, name := range sorted(s.releases) {
		r := s.releases[name].DeepCopy()
		for i := range r.Status.Rollouts {
			for j := range r.Status.Rollouts[i].Workloads {
				old(&r.Status.Rollouts[i].Workloads[j].TemplateHash)
			}
		}
		s.stored(r)
		s.releases[name] = r
	}
	s.tell()
}
