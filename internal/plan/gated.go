// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// Gate is what is known of the admission policies.
type Gate struct {
	// Served says that the cluster serves MutatingAdmissionPolicy v1.
	Served bool

	// Holds says that the policy that holds is installed and bound, as it was shipped or not.
	Holds bool

	// Backstops names the bindings by which a changed template that nothing held is refused, where they are installed.
	Backstops []string

	// Missing and Altered name policies and bindings, each with what is wrong.
	Missing []string
	Altered []string

	// Fingerprint identifies the policies as they are now.
	Fingerprint string
}

// GateFinding is the Gated condition, and what it rests on. One without a condition says that it is being found out.
type GateFinding struct {
	Condition metav1.Condition

	// Proof goes into the plan's status: what was proven.
	Proof string

	// RetryAfter is when to probe again; 0 for not before something changes.
	RetryAfter time.Duration
}

const (
	// probeAgainSoon: policies reach admission within seconds, and nothing tells when.
	probeAgainSoon = 2 * time.Second
	// probeAgainLater: after probeSoonFor something else is wrong, that a person has to change.
	probeAgainLater = 30 * time.Second
	probeSoonFor    = time.Minute
)

// Answer is what a probe showed.
type Answer struct {
	// Held says that the dry run of the plan that was probed came back held.
	Held bool

	// Evaluated says that the policy which holds was evaluated for the plan in question, with the spec that it has now.
	Evaluated bool
}

// SharesProbes reports whether the answer to a probe of another plan of the namespace proves the gate of this one, if it says
// that the policy was evaluated for it. Where something escaped the gate, nothing but a probe of the plan's own counts, made
// after that.
func SharesProbes(in Input) bool { return lastEscape(in).IsZero() }

// AssessGate says what is known of the gate without a probe. Where only a probe can tell it names the member to probe.
func AssessGate(in Input, g Gate) (GateFinding, *Member) {
	mode := in.Plan.Spec.Gate.Mode
	switch {
	case in.Terminating:
		return GateFinding{Condition: gated(metav1.ConditionUnknown, v1alpha1.ReasonNamespaceTerminating, terminatingText)}, nil
	case mode == v1alpha1.GateModeDisabled:
		return notGated(v1alpha1.ReasonModeDisabled, "spec.gate.mode is Disabled: rollouts are neither held nor backed up"), nil
	case mode == v1alpha1.GateModeObserve:
		return notGated(v1alpha1.ReasonModeObserve, "spec.gate.mode is Observe: rollouts are backed up, and not held"), nil
	case !g.Served:
		return notGated(v1alpha1.ReasonClusterTooOld, "this cluster does not serve MutatingAdmissionPolicy v1 (Kubernetes 1.36). "+
			consequence(g)+". Upgrade the cluster, then restart Backstay"+withoutBackstop(g)), nil
	case len(g.Missing) > 0:
		return notGated(v1alpha1.ReasonPolicyMissing, strings.Join(g.Missing, "; ")+". "+
			consequence(g)+". Install it again: kubectl apply -k config/gate"), nil
	case len(g.Altered) > 0:
		return notGated(v1alpha1.ReasonPolicyAltered, strings.Join(g.Altered, "; ")+". "+
			consequence(g)+". Put it back: kubectl apply -k config/gate"), nil
	}
	proof := proofOf(in, g)
	m := probeTarget(in)
	switch {
	case m == nil && overlap(in.Members) != "":
		return GateFinding{Condition: gated(metav1.ConditionUnknown, v1alpha1.ReasonOverlappingPlans, "all its workloads are managed by other plans")}, nil
	case m == nil:
		return GateFinding{Condition: gated(metav1.ConditionUnknown, v1alpha1.ReasonNoWorkloads, "the plan selects no workload to probe the gate with")}, nil
	}
	if in.Plan.Status.GateProof == proof {
		if old := meta.FindStatusCondition(in.Plan.Status.Conditions, v1alpha1.ConditionGated); old != nil && old.Status == metav1.ConditionTrue {
			return GateFinding{Condition: gated(old.Status, old.Reason, old.Message), Proof: proof}, nil
		}
	}
	return GateFinding{}, m
}

// consequence is what becomes of rollouts while the gate is not in force.
func consequence(g Gate) string {
	switch {
	case g.Holds:
		return "Whether rollouts are held is not known; those that are not are backed up"
	case len(g.Backstops) > 0:
		return "Nothing holds rollouts, and the backstop refuses changed pod templates"
	default:
		return "Rollouts are backed up, and not held"
	}
}

// withoutBackstop is how to be without a gate where the cluster cannot have a whole one.
func withoutBackstop(g Gate) string {
	if len(g.Backstops) == 0 {
		return ""
	}
	return "; or remove the backstop: kubectl delete validatingadmissionpolicybindings " + strings.Join(g.Backstops, " ")
}

// ConcludeProbe says what a probe of a member showed: its answer, or why there is none.
func ConcludeProbe(in Input, g Gate, m *Member, answer Answer, err error) GateFinding {
	switch {
	case err != nil:
		f := notGated(v1alpha1.ReasonProbeFailed, fmt.Sprintf("the dry run of a changed template of %s was refused: %v", m.Name, err))
		f.RetryAfter = probeAgainAfter(in, v1alpha1.ReasonProbeFailed)
		return f
	case answer.Held && answer.Evaluated:
		return GateFinding{
			Condition: gated(metav1.ConditionTrue, v1alpha1.ReasonProbeHeld, "a dry run of a changed template came back held"),
			Proof:     proofOf(in, g),
		}
	default:
		came := "not held: the admission policies are not in force (yet)"
		if answer.Held {
			came = "held, but not for this spec of the plan: it is not in force (yet)"
		}
		f := notGated(v1alpha1.ReasonProbeNotHeld, fmt.Sprintf("a dry run of a changed template of %s came back %s. "+
			"Rollouts are backed up, and not held; the probe is repeated", m.Name, came))
		f.RetryAfter = probeAgainAfter(in, v1alpha1.ReasonProbeNotHeld)
		return f
	}
}

// probeAgainAfter is when to probe again after a probe that proved nothing. One that was refused is no different from
// one that came back not held: the backstop may have reached admission before the policy that holds.
func probeAgainAfter(in Input, reason string) time.Duration {
	old := meta.FindStatusCondition(in.Plan.Status.Conditions, v1alpha1.ConditionGated)
	if old != nil && old.Reason == reason && in.Now.Sub(old.LastTransitionTime.Time) > probeSoonFor {
		return probeAgainLater
	}
	return probeAgainSoon
}

// proofOf names what a probe proves: these policies, with this spec, since the last rollout escaped. What was proven
// before that is worth nothing.
func proofOf(in Input, g Gate) string {
	proof := fmt.Sprintf("%s/%d", g.Fingerprint, in.Plan.Generation)
	if at := lastEscape(in); !at.IsZero() {
		proof += fmt.Sprintf("/%d", at.Unix())
	}
	return proof
}

// probeTarget is the first member that the plan moves. A plan of which others move everything is not probed: a hundred
// plans for one workload are no reason for a hundred probes.
func probeTarget(in Input) *Member {
	for i := range in.Members {
		if in.Members[i].Driver {
			return &in.Members[i]
		}
	}
	return nil
}

// lastEscape is when something last started that the gate was to hold; zero for never.
func lastEscape(in Input) time.Time {
	var last time.Time
	for _, r := range in.Releases {
		for i := range r.Status.Rollouts {
			if ro := &r.Status.Rollouts[i]; escaped(ro) && ro.AdmittedTime != nil {
				last = later(last, ro.AdmittedTime.Time)
			}
		}
	}
	return last
}

// escaped says whether something of a rollout started that the gate was proven to hold, or that it held.
func escaped(ro *v1alpha1.Rollout) bool {
	return ro.Cause == v1alpha1.CauseEscaped || slices.ContainsFunc(ro.Workloads, func(rec v1alpha1.RolloutWorkload) bool {
		return rec.StartReason == v1alpha1.StartNotHeld && rec.HeldSince != nil
	})
}

func notGated(reason, message string) GateFinding {
	return GateFinding{Condition: gated(metav1.ConditionFalse, reason, message)}
}

func gated(status metav1.ConditionStatus, reason, message string) metav1.Condition {
	return metav1.Condition{Type: v1alpha1.ConditionGated, Status: status, Reason: reason, Message: bound(message)}
}
