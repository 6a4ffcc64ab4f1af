// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/backstay-dr/backstay/internal/workload"
)

// installed is what a typed client would list: no TypeMeta, and what the API server adds.
func installed() []Object {
	objects := Objects(DefaultIdentity())
	for i, object := range objects {
		object.GetObjectKind().SetGroupVersionKind(admissionv1.SchemeGroupVersion.WithKind(""))
		object.SetUID(types.UID(rune('a' + i)))
		object.SetGeneration(1)
		object.SetResourceVersion("42")
	}
	return objects
}

func named[T Object](objects []Object, name string) T {
	for _, object := range objects {
		if o, ok := object.(T); ok && o.GetName() == name {
			return o
		}
	}
	panic("no " + name)
}

func holdPolicy(objects []Object) *admissionv1.MutatingAdmissionPolicy {
	return named[*admissionv1.MutatingAdmissionPolicy](objects, kind{workload.Deployment}.holdName())
}

const policy = "MutatingAdmissionPolicy backstay-hold-deployments"

var compareTests = map[string]struct {
	change func([]Object) []Object
	want   []string
}{
	"as shipped": {},
	"labels and annotations do not count": {change: func(live []Object) []Object {
		live[0].SetLabels(map[string]string{"argocd": "x"})
		live[0].SetAnnotations(map[string]string{"note": "y"})
		return live
	}},
	"others do not count": {change: func(live []Object) []Object {
		return append(live, &admissionv1.MutatingAdmissionPolicy{ObjectMeta: metav1.ObjectMeta{Name: "theirs"}})
	}},
	"the order does not count": {change: func(live []Object) []Object {
		slices.Reverse(live)
		return live
	}},
	"nothing installed": {
		change: func([]Object) []Object { return nil },
		want: []string{
			"MutatingAdmissionPolicy backstay-hold-deployments is not installed",
			"MutatingAdmissionPolicyBinding backstay-hold-deployments is not installed",
			"MutatingAdmissionPolicy backstay-marks-deployments is not installed",
			"MutatingAdmissionPolicyBinding backstay-marks-deployments is not installed",
			"MutatingAdmissionPolicy backstay-evaluated-deployments is not installed",
			"MutatingAdmissionPolicyBinding backstay-evaluated-deployments is not installed",
			"ValidatingAdmissionPolicy backstay-notice-deployments is not installed",
			"ValidatingAdmissionPolicyBinding backstay-notice-deployments is not installed",
			"ValidatingAdmissionPolicy backstay-backstop-deployments is not installed",
			"ValidatingAdmissionPolicyBinding backstay-backstop-deployments is not installed",
			"ValidatingAdmissionPolicy backstay-override-deployments is not installed",
			"ValidatingAdmissionPolicyBinding backstay-override-deployments is not installed",
			"ValidatingAdmissionPolicy backstay-strict-deployments is not installed",
			"ValidatingAdmissionPolicyBinding backstay-strict-deployments is not installed",
			"ValidatingAdmissionPolicy backstay-operator-deployments is not installed",
			"ValidatingAdmissionPolicyBinding backstay-operator-deployments is not installed",
			"MutatingAdmissionPolicy backstay-marks-replicasets is not installed",
			"MutatingAdmissionPolicyBinding backstay-marks-replicasets is not installed",
			"ValidatingAdmissionPolicy backstay-revisions-replicasets is not installed",
			"ValidatingAdmissionPolicyBinding backstay-revisions-replicasets is not installed",
			"MutatingAdmissionPolicy backstay-hold-statefulsets is not installed",
			"MutatingAdmissionPolicyBinding backstay-hold-statefulsets is not installed",
			"MutatingAdmissionPolicy backstay-marks-statefulsets is not installed",
			"MutatingAdmissionPolicyBinding backstay-marks-statefulsets is not installed",
			"MutatingAdmissionPolicy backstay-evaluated-statefulsets is not installed",
			"MutatingAdmissionPolicyBinding backstay-evaluated-statefulsets is not installed",
			"ValidatingAdmissionPolicy backstay-notice-statefulsets is not installed",
			"ValidatingAdmissionPolicyBinding backstay-notice-statefulsets is not installed",
			"ValidatingAdmissionPolicy backstay-backstop-statefulsets is not installed",
			"ValidatingAdmissionPolicyBinding backstay-backstop-statefulsets is not installed",
			"ValidatingAdmissionPolicy backstay-override-statefulsets is not installed",
			"ValidatingAdmissionPolicyBinding backstay-override-statefulsets is not installed",
			"ValidatingAdmissionPolicy backstay-strict-statefulsets is not installed",
			"ValidatingAdmissionPolicyBinding backstay-strict-statefulsets is not installed",
			"ValidatingAdmissionPolicy backstay-operator-statefulsets is not installed",
			"ValidatingAdmissionPolicyBinding backstay-operator-statefulsets is not installed",
			"MutatingAdmissionPolicy backstay-restore-statefulsets is not installed",
			"MutatingAdmissionPolicyBinding backstay-restore-statefulsets is not installed",
			"MutatingAdmissionPolicy backstay-count-drplans is not installed",
			"MutatingAdmissionPolicyBinding backstay-count-drplans is not installed",
			"ValidatingAdmissionPolicy backstay-guard-drplans is not installed",
			"ValidatingAdmissionPolicyBinding backstay-guard-drplans is not installed",
			"MutatingAdmissionPolicy backstay-stamp-appreleases is not installed",
			"MutatingAdmissionPolicyBinding backstay-stamp-appreleases is not installed",
			"ValidatingAdmissionPolicy backstay-claims-appreleases is not installed",
			"ValidatingAdmissionPolicyBinding backstay-claims-appreleases is not installed",
			"MutatingAdmissionPolicy backstay-operator-metadata is not installed",
			"MutatingAdmissionPolicyBinding backstay-operator-metadata is not installed",
			"ValidatingAdmissionPolicy backstay-operator-backups is not installed",
			"ValidatingAdmissionPolicyBinding backstay-operator-backups is not installed",
			"ValidatingAdmissionPolicy backstay-operator-appreleases is not installed",
			"ValidatingAdmissionPolicyBinding backstay-operator-appreleases is not installed",
		},
	},
	"a policy without its binding": {
		change: func(live []Object) []Object { return slices.Delete(live, 1, 2) },
		want:   []string{"MutatingAdmissionPolicyBinding backstay-hold-deployments is not installed"},
	},
	"an expression": {
		change: func(live []Object) []Object {
			holdPolicy(live).Spec.Variables[4].Expression = "false"
			return live
		},
		want: []string{policy + " is not the one that this version of Backstay ships: spec.variables[4].expression differs"},
	},
	"a condition more": {
		change: func(live []Object) []Object {
			p := holdPolicy(live)
			p.Spec.MatchConditions = append(p.Spec.MatchConditions, admissionv1.MatchCondition{Name: "no", Expression: "false"})
			return live
		},
		want: []string{policy + " is not the one that this version of Backstay ships: spec.matchConditions differs"},
	},
	"a namespace exempted": {
		change: func(live []Object) []Object {
			holdPolicy(live).Spec.MatchConstraints.NamespaceSelector.MatchLabels = map[string]string{"a": "b"}
			return live
		},
		want: []string{policy + " is not the one that this version of Backstay ships: spec.matchConstraints.namespaceSelector.matchLabels differs"},
	},
	"a failure policy": {
		change: func(live []Object) []Object {
			holdPolicy(live).Spec.FailurePolicy = closed()
			return live
		},
		want: []string{policy + " is not the one that this version of Backstay ships: spec.failurePolicy differs"},
	},
	"a backstop that only warns": {
		change: func(live []Object) []Object {
			b := named[*admissionv1.ValidatingAdmissionPolicyBinding](live, kind{workload.Deployment}.backstopName())
			b.Spec.ValidationActions = []admissionv1.ValidationAction{admissionv1.Warn}
			return live
		},
		want: []string{"ValidatingAdmissionPolicyBinding backstay-backstop-deployments is not the one that this version of Backstay ships: spec.validationActions[0] differs"},
	},
	"a binding narrowed": {
		change: func(live []Object) []Object {
			b := named[*admissionv1.MutatingAdmissionPolicyBinding](live, kind{workload.Deployment}.holdName())
			b.Spec.ParamRef.Namespace = "shop"
			return live
		},
		want: []string{"MutatingAdmissionPolicyBinding backstay-hold-deployments is not the one that this version of Backstay ships: spec.paramRef.namespace differs"},
	},
	"for another operator": {
		change: func([]Object) []Object { return Objects(Identity{Namespace: "a", ServiceAccount: "b"}) },
		want: []string{
			"MutatingAdmissionPolicy backstay-hold-deployments is not the one that this version of Backstay ships: spec.matchConditions[0].expression differs",
			"MutatingAdmissionPolicy backstay-marks-deployments is not the one that this version of Backstay ships: spec.matchConditions[0].expression differs",
			"ValidatingAdmissionPolicy backstay-notice-deployments is not the one that this version of Backstay ships: spec.matchConditions[0].expression differs",
			"ValidatingAdmissionPolicy backstay-backstop-deployments is not the one that this version of Backstay ships: spec.matchConditions[0].expression differs",
			"ValidatingAdmissionPolicy backstay-override-deployments is not the one that this version of Backstay ships: spec.matchConditions[0].expression differs",
			"ValidatingAdmissionPolicy backstay-operator-deployments is not the one that this version of Backstay ships: spec.matchConditions[0].expression differs",
			"MutatingAdmissionPolicy backstay-hold-statefulsets is not the one that this version of Backstay ships: spec.matchConditions[0].expression differs",
			"MutatingAdmissionPolicy backstay-marks-statefulsets is not the one that this version of Backstay ships: spec.matchConditions[0].expression differs",
			"ValidatingAdmissionPolicy backstay-notice-statefulsets is not the one that this version of Backstay ships: spec.matchConditions[0].expression differs",
			"ValidatingAdmissionPolicy backstay-backstop-statefulsets is not the one that this version of Backstay ships: spec.matchConditions[0].expression differs",
			"ValidatingAdmissionPolicy backstay-override-statefulsets is not the one that this version of Backstay ships: spec.matchConditions[0].expression differs",
			"ValidatingAdmissionPolicy backstay-operator-statefulsets is not the one that this version of Backstay ships: spec.matchConditions[0].expression differs",
			"MutatingAdmissionPolicy backstay-restore-statefulsets is not the one that this version of Backstay ships: spec.matchConditions[0].expression differs",
			"MutatingAdmissionPolicy backstay-operator-metadata is not the one that this version of Backstay ships: spec.matchConditions[0].expression differs",
			"ValidatingAdmissionPolicy backstay-operator-backups is not the one that this version of Backstay ships: spec.matchConditions[0].expression differs",
			"ValidatingAdmissionPolicy backstay-operator-appreleases is not the one that this version of Backstay ships: spec.matchConditions[0].expression differs",
		},
	},
}

func TestCompare(t *testing.T) {
	for name, test := range compareTests {
		t.Run(name, func(t *testing.T) {
			live := installed()
			if test.change != nil {
				live = test.change(live)
			}
			var got []string
			for _, difference := range Compare(live, Objects(DefaultIdentity())) {
				got = append(got, difference.String())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestFingerprint(t *testing.T) {
	before := Fingerprint(installed())
	tests := map[string]struct {
		change func([]Object) []Object
		same   bool
	}{
		"nothing": {change: func(live []Object) []Object { return live }, same: true},
		"labels": {same: true, change: func(live []Object) []Object {
			live[3].SetLabels(map[string]string{"a": "b"})
			return live
		}},
		"order": {same: true, change: func(live []Object) []Object {
			slices.Reverse(live)
			return live
		}},
		"an edited spec": {change: func(live []Object) []Object {
			live[3].SetGeneration(2)
			return live
		}},
		"deleted and created again": {change: func(live []Object) []Object {
			live[3].SetUID("other")
			return live
		}},
		"deleted": {change: func(live []Object) []Object { return live[1:] }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Fingerprint(test.change(installed())) == before; got != test.same {
				t.Errorf("same fingerprint: %t, want %t", got, test.same)
			}
		})
	}
}
