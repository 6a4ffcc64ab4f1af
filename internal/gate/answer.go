// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/workload"
)

// annotationAnswers is in the answer to a probe, and is never stored. The policy that holds lists in it every plan that it
// was evaluated for, each as "<uid>/<generation>".
const annotationAnswers = v1alpha1.GroupName + "/answers"

// Answer is what a probe came back with.
type Answer struct {
	// HeldBy is the plan that held the workload; "" where none did.
	HeldBy string

	// plans that the policy was evaluated for, as planKey writes them.
	plans []string
}

// ReadAnswer reads the answer to a dry run of ProbePatch, of a workload of a kind.
func ReadAnswer(k *workload.Kind, answer workload.Object) Answer {
	plan, _ := k.HeldBy(answer)
	return Answer{HeldBy: plan, plans: strings.Fields(answer.GetAnnotations()[annotationAnswers])}
}

// For reports whether the policy was evaluated for a plan with the spec that it has now.
func (a Answer) For(plan *v1alpha1.DRPlan) bool { return slices.Contains(a.plans, planKey(plan)) }

func planKey(plan *v1alpha1.DRPlan) string { return fmt.Sprintf("%s/%d", plan.UID, plan.Generation) }

// probing is whether the write is the operator's probe. It sends no other dry run.
func probing(id Identity) string {
	return `(request.dryRun && request.userInfo.username == ` + quote(id.Username()) + `)`
}

// answerFacts are what answered needs. While it is probed, a policy is evaluated for the plans that do not select the
// workload too: they only answer.
func answerFacts(id Identity, selects string) []admissionv1.Variable {
	return []admissionv1.Variable{
		{Name: "probing", Expression: probing(id)},
		{Name: "selected", Expression: cel(selects)},
	}
}

// answered is the patch of a policy with its answer to a probe before it.
func answered(patch string) string {
	return cel(`
(has(object.metadata.annotations) || !(variables.probing || (variables.selected && variables.set.size() > 0)) ? [] :
  [JSONPatch{op: 'add', path: '/metadata/annotations', value: {}}]) +
(variables.probing ? [JSONPatch{op: 'add', path: ANNOTATION + jsonpatch.escapeKey(ANSWERS), value:
  variables.annotations[?ANSWERS].orValue('') + string(params.metadata.uid) + '/' + string(params.metadata.generation) + ' '}] : []) +
(variables.selected ? ` + patch + ` : [])`)
}
