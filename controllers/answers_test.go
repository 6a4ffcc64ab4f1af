// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"errors"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/gate"
	"github.com/backstay-dr/backstay/internal/workload"
	"github.com/backstay-dr/backstay/test/gen"
)

// answerFor is an answer of the API server, for plans as "<uid>/<generation>".
func answerFor(plans string) gate.Answer {
	d := &appsv1.Deployment{}
	d.Annotations = map[string]string{"dr.backstay.dev/answers": plans}
	return gate.ReadAnswer(workload.Deployment, d)
}

func planOf(namespace string, uid types.UID, generation int64) *v1alpha1.DRPlan {
	p := gen.Plan("shop")
	p.Namespace, p.UID, p.Generation = namespace, uid, generation
	return p
}

func TestAnswerIsSharedByThePlansThatItIsFor(t *testing.T) {
	var a answers
	start := time.Unix(1000, 0)
	refused := errors.New("refused")
	for _, step := range []struct {
		name        string
		plan        *v1alpha1.DRPlan
		fingerprint string
		answers     string // to the probe; "" where it fails
		held        bool
		asks        bool
	}{
		{"the first plan asks", planOf("one", "a", 1), "f", "a/1 b/1", true, true},
		{"it need not ask again", planOf("one", "a", 1), "f", "", true, false},
		{"another plan of the answer", planOf("one", "b", 1), "f", "", true, false},
		{"a plan that it is not for", planOf("one", "c", 1), "f", "", false, true},
		{"an answer that failed takes none away", planOf("one", "b", 1), "f", "", true, false},
		{"another spec", planOf("one", "b", 2), "f", "a/1 b/2", true, true},
		{"another namespace", planOf("two", "b", 2), "f", "b/2", true, true},
		{"other policies", planOf("one", "a", 1), "g", "a/1 b/2", false, true},
		{"not held is no answer for anybody", planOf("one", "b", 2), "g", "a/1 b/2", true, true},
		{"and these hold", planOf("one", "a", 1), "g", "", true, false},
	} {
		asked := false
		_, held, err := a.find(step.plan, step.fingerprint, start, func() (gate.Answer, bool, error) {
			asked = true
			if step.answers == "" {
				return gate.Answer{}, false, refused
			}
			return answerFor(step.answers), step.held, nil
		})
		if asked != step.asks || held != step.held || (err != nil) != (step.asks && step.answers == "") {
			t.Errorf("%s: asked %t, held %t, %v", step.name, asked, held, err)
		}
	}
}

// Many plans of one namespace must not keep every worker waiting for the same answer.
func TestPlanOfANamespaceThatIsBeingProbedLooksAgainLater(t *testing.T) {
	var a answers
	now := time.Unix(1000, 0)
	never := func() (gate.Answer, bool, error) {
		t.Error("a second probe of the namespace")
		return gate.Answer{}, false, nil
	}
	_, held, err := a.find(planOf("one", "a", 1), "f", now, func() (gate.Answer, bool, error) {
		if _, held, err := a.find(planOf("one", "b", 1), "f", now, never); held || !errors.Is(err, errAsking) {
			t.Errorf("meanwhile: held %t, %v", held, err)
		}
		return answerFor("a/1 b/1"), true, nil
	})
	if !held || err != nil {
		t.Errorf("held %t, %v", held, err)
	}
	if _, held, err := a.find(planOf("one", "b", 1), "f", now, never); !held || err != nil {
		t.Errorf("afterwards: held %t, %v", held, err)
	}
	later := func() (gate.Answer, bool, error) { return answerFor("c/1"), true, nil }
	if _, held, err := a.find(planOf("two", "c", 1), "f", now.Add(2*keepAnswers), later); !held || err != nil || len(a.of) != 1 {
		t.Errorf("held %t, %v; %d namespaces are remembered", held, err, len(a.of))
	}
}
