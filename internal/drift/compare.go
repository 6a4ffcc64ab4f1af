// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/version"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// Finding is the state of the Drifted condition and its reason.
type Finding struct {
	Status metav1.ConditionStatus
	Reason string
}

// Compare reports whether what runs is what is planned, as far as the policy asks.
func Compare(planned string, policy v1alpha1.VersionPolicy, running []Version) Finding {
	versions := Distinct(running)
	switch {
	case len(running) == 0:
		return Finding{metav1.ConditionUnknown, v1alpha1.ReasonNoWorkloads}
	case slices.ContainsFunc(running, unknown):
		return Finding{metav1.ConditionUnknown, v1alpha1.ReasonVersionUnknown}
	case len(versions) > 1:
		return Finding{metav1.ConditionTrue, v1alpha1.ReasonMixedVersions}
	case planned == "":
		return Finding{metav1.ConditionUnknown, v1alpha1.ReasonNothingPlanned}
	}
	return comparePair(planned, policy, versions[0])
}

// unknown: the hash of a template stands for a version, but tells nothing that a plan could name.
func unknown(v Version) bool {
	return v.Source == v1alpha1.SourceTemplateHash || v.Value == ""
}

func comparePair(planned string, policy v1alpha1.VersionPolicy, running string) Finding {
	if planned == running {
		return Finding{metav1.ConditionFalse, v1alpha1.ReasonInSync}
	}
	p, errPlanned := version.ParseSemantic(planned)
	r, errRunning := version.ParseSemantic(running)
	if errPlanned != nil || errRunning != nil {
		return Finding{metav1.ConditionTrue, v1alpha1.ReasonVersionDiffers}
	}
	if tolerated(p, r, policy) {
		return Finding{metav1.ConditionFalse, v1alpha1.ReasonInSync}
	}
	switch {
	case p.LessThan(r):
		return Finding{metav1.ConditionTrue, v1alpha1.ReasonVersionBehind}
	case r.LessThan(p):
		return Finding{metav1.ConditionTrue, v1alpha1.ReasonVersionAhead}
	default: // build metadata has no order, and a leading v no meaning
		return Finding{metav1.ConditionTrue, v1alpha1.ReasonVersionDiffers}
	}
}

func tolerated(p, r *version.Version, policy v1alpha1.VersionPolicy) bool {
	switch policy {
	case v1alpha1.VersionPolicyMajor:
		return true
	case v1alpha1.VersionPolicyMinor:
		return p.Major() == r.Major()
	case v1alpha1.VersionPolicyPatch:
		return p.Major() == r.Major() && p.Minor() == r.Minor()
	default:
		return false
	}
}

// Distinct lists the versions once each, in order.
func Distinct(versions []Version) []string {
	var out []string
	for _, v := range versions {
		if v.Value != "" {
			out = append(out, v.Value)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// maxShown is how many versions Summary names.
const maxShown = 3

// Summary writes distinct versions into one short text.
func Summary(versions []string) string {
	if len(versions) > maxShown {
		return strings.Join(versions[:maxShown], ",") + ",..."
	}
	return strings.Join(versions, ",")
}
