// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/google/go-cmp/cmp"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

func labelled(versions ...string) []Version {
	var out []Version
	for _, v := range versions {
		out = append(out, Version{v, v1alpha1.SourcePodTemplateLabel})
	}
	return out
}

func TestCompare(t *testing.T) {
	const (
		exact = v1alpha1.VersionPolicyExact
		patch = v1alpha1.VersionPolicyPatch
		minor = v1alpha1.VersionPolicyMinor
		major = v1alpha1.VersionPolicyMajor
	)
	inSync := Finding{metav1.ConditionFalse, v1alpha1.ReasonInSync}
	behind := Finding{metav1.ConditionTrue, v1alpha1.ReasonVersionBehind}
	ahead := Finding{metav1.ConditionTrue, v1alpha1.ReasonVersionAhead}
	differs := Finding{metav1.ConditionTrue, v1alpha1.ReasonVersionDiffers}
	mixed := Finding{metav1.ConditionTrue, v1alpha1.ReasonMixedVersions}
	unknown := Finding{metav1.ConditionUnknown, v1alpha1.ReasonVersionUnknown}
	hashed := Version{"template-0", v1alpha1.SourceTemplateHash}
	for name, tc := range map[string]struct {
		planned string
		policy  v1alpha1.VersionPolicy
		running []Version
		want    Finding
	}{
		"no workloads":                         {"1.4.2", exact, nil, Finding{metav1.ConditionUnknown, v1alpha1.ReasonNoWorkloads}},
		"a workload that tells nothing":        {"1.4.2", exact, []Version{{}}, unknown},
		"a hash tells no version":              {"1.4.2", exact, []Version{hashed}, unknown},
		"one of them tells nothing":            {"1.4.2", exact, append(labelled("1.4.2"), hashed), unknown},
		"mixed":                                {"1.4.2", exact, labelled("1.4.2", "1.5.0"), mixed},
		"mixed, though each were tolerated":    {"1.4.2", major, labelled("1.4.2", "1.5.0"), mixed},
		"nothing planned":                      {"", exact, labelled("1.4.2"), Finding{metav1.ConditionUnknown, v1alpha1.ReasonNothingPlanned}},
		"nothing planned, and mixed":           {"", exact, labelled("1.4.2", "1.5.0"), mixed},
		"equal":                                {"1.4.2", exact, labelled("1.4.2", "1.4.2"), inSync},
		"behind":                               {"1.4.2", exact, labelled("1.5.0"), behind},
		"ahead":                                {"1.5.0", exact, labelled("1.4.2"), ahead},
		"ten is more than nine":                {"1.9.0", exact, labelled("1.10.0"), behind},
		"a leading v has no meaning, no order": {"v1.4.2", exact, labelled("1.4.2"), differs},
		"nor has build metadata":               {"1.4.2+a", exact, labelled("1.4.2+b"), differs},
		"a release is after its candidate":     {"1.5.0-rc.1", exact, labelled("1.5.0"), behind},
		"no semantic version":                  {"2026-03", exact, labelled("2026-04"), differs},
		"only one is a semantic version":       {"1.4.2", exact, labelled("main"), differs},
		"equal words":                          {"main", exact, labelled("main"), inSync},

		"patch tolerates a patch":        {"1.4.2", patch, labelled("1.4.9"), inSync},
		"patch tolerates one before":     {"1.4.2", patch, labelled("1.4.0"), inSync},
		"patch tolerates a candidate":    {"1.4.2", patch, labelled("1.4.3-rc.1"), inSync},
		"patch tolerates no minor":       {"1.4.2", patch, labelled("1.5.0"), behind},
		"patch tolerates no older minor": {"1.4.2", patch, labelled("1.3.9"), ahead},
		"minor tolerates a minor":        {"1.4.2", minor, labelled("1.9.0"), inSync},
		"minor tolerates no major":       {"1.4.2", minor, labelled("2.0.0"), behind},
		"major tolerates all":            {"1.4.2", major, labelled("7.0.0"), inSync},
		"major tolerates no word":        {"1.4.2", major, labelled("main"), differs},
		"minor and a leading v":          {"v1.4.2", minor, labelled("1.5.0"), inSync},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Compare(tc.planned, tc.policy, tc.running); got != tc.want {
				t.Errorf("Compare() = %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestSummary(t *testing.T) {
	for want, versions := range map[string][]Version{
		"":                      nil,
		"1.4.2":                 labelled("1.4.2", "", "1.4.2"),
		"1.4.2,1.5.0":           labelled("1.5.0", "1.4.2", "1.5.0"),
		"1.4.2,1.5.0,1.6.0":     labelled("1.6.0", "1.5.0", "1.4.2"),
		"1.4.2,1.5.0,1.6.0,...": labelled("1.7.0", "1.6.0", "1.5.0", "1.4.2"),
	} {
		if diff := cmp.Diff(want, Summary(Distinct(versions))); diff != "" {
			t.Errorf("Summary (-want +got):\n%s", diff)
		}
	}
}

// FuzzCompare: any two texts compare without a panic, in the same way each time, and never as equal and drifted at once.
func FuzzCompare(f *testing.F) {
	for _, pair := range [][2]string{{"1.4.2", "1.5.0"}, {"v1", "1"}, {"", "x"}, {"1.0.0-", "1.0.0+"}, {"99999999999999999999.0.0", "1.0.0"}} {
		f.Add(pair[0], pair[1], "Minor")
	}
	f.Fuzz(func(t *testing.T, planned, running, policy string) {
		got := Compare(planned, v1alpha1.VersionPolicy(policy), labelled(running))
		if again := Compare(planned, v1alpha1.VersionPolicy(policy), labelled(running)); got != again {
			t.Errorf("Compare(%q, %q) = %+v, then %+v", planned, running, got, again)
		}
		if planned == running && planned != "" && got.Reason != v1alpha1.ReasonInSync {
			t.Errorf("Compare(%q, %q) = %+v", planned, running, got)
		}
	})
}
