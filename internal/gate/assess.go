// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/workload"
)

// Installed is what is known of the admission policies.
type Installed struct {
	// Served reports whether the cluster serves MutatingAdmissionPolicy v1.
	Served bool

	// Holds reports whether the policy that holds is installed and bound, as it was shipped or not.
	Holds bool

	// Backstops names the bindings by which a changed template that nothing held is refused, where they are installed.
	Backstops []string

	// Missing and Altered name policies and bindings, each with what is wrong.
	Missing []string
	Altered []string

	// Fingerprint identifies the policies as they are now.
	Fingerprint string
}

// Subject is the plan whose gate is assessed.
type Subject struct {
	Plan *v1alpha1.DRPlan
	Now  time.Time

	// Terminating reports whether its namespace is being deleted.
	Terminating bool

	// Target is the workload to probe the gate with, and SharedWith the other plans that select it; nil where the plan manages
	// none. A plan of which others manage everything is not probed: a hundred plans for one workload are no reason for a
	// hundred probes.
	Target     *workload.View
	SharedWith []string

	// Overlapping reports whether it selects workloads that other plans manage.
	Overlapping bool

	// LastEscape is when something last started that the gate was to hold; zero for never.
	LastEscape time.Time
}

// Finding is the Gated condition, and what it rests on. One without a condition means that it is being found out.
type Finding struct {
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

// Probed is what a probe showed.
type Probed struct {
	// Held reports whether the dry run of the plan that was probed came back held.
	Held bool

	// Evaluated reports whether the policy which holds was evaluated for the plan in question, with the spec that it has now.
	Evaluated bool
}

// SharesProbes reports whether the answer to a probe of another plan of the namespace proves the gate of this one, if it says
// that the policy was evaluated for it. Where something escaped the gate, nothing but a probe of the plan's own counts, made
// after that.
func (s Subject) SharesProbes() bool { return s.LastEscape.IsZero() }

// Assess finds what is known of the gate of a plan without a probe. It is false where only a probe of the target can tell.
func Assess(s Subject, g Installed) (Finding, bool) {
	known := func(f Finding) (Finding, bool) { return f, true }
	switch mode := s.Plan.Spec.Gate.Mode; {
	case s.Terminating:
		return known(Finding{Condition: gated(metav1.ConditionUnknown, v1alpha1.ReasonNamespaceTerminating, "the namespace is being deleted")})
	case mode == v1alpha1.GateModeDisabled:
		return known(notGated(v1alpha1.ReasonModeDisabled, "spec.gate.mode is Disabled: rollouts are neither held nor backed up"))
	case mode == v1alpha1.GateModeObserve:
		return known(notGated(v1alpha1.ReasonModeObserve, "spec.gate.mode is Observe: rollouts are backed up, and not held"))
	case !g.Served:
		return known(notGated(v1alpha1.ReasonClusterTooOld, "this cluster does not serve MutatingAdmissionPolicy v1 (Kubernetes 1.36). "+
			consequence(g)+". Upgrade the cluster, then restart Backstay"+withoutBackstop(g)))
	case len(g.Missing) > 0:
		return known(notGated(v1alpha1.ReasonPolicyMissing, strings.Join(g.Missing, "; ")+". "+
			consequence(g)+". Install it again: kubectl apply -k config/gate"))
	case len(g.Altered) > 0:
		return known(notGated(v1alpha1.ReasonPolicyAltered, strings.Join(g.Altered, "; ")+". "+
			consequence(g)+". Put it back: kubectl apply -k config/gate"))
	case s.Target == nil && s.Overlapping:
		return known(Finding{Condition: gated(metav1.ConditionUnknown, v1alpha1.ReasonOverlappingPlans, "all its workloads are managed by other plans")})
	case s.Target == nil:
		return known(Finding{Condition: gated(metav1.ConditionUnknown, v1alpha1.ReasonNoWorkloads, "the plan selects no workload to probe the gate with")})
	}
	return s.proven(g)
}

// proven is what was proven before of the gate as it is now.
func (s Subject) proven(g Installed) (Finding, bool) {
	proof, old := s.proof(g), s.gatedBefore()
	if s.Plan.Status.GateProof != proof || old == nil || old.Status != metav1.ConditionTrue {
		return Finding{}, false
	}
	return Finding{Condition: gated(old.Status, old.Reason, old.Message), Proof: proof}, true
}

func (s Subject) gatedBefore() *metav1.Condition {
	return meta.FindStatusCondition(s.Plan.Status.Conditions, v1alpha1.ConditionGated)
}

// consequence is what becomes of rollouts while the gate is not in force.
func consequence(g Installed) string {
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
func withoutBackstop(g Installed) string {
	if len(g.Backstops) == 0 {
		return ""
	}
	return "; or remove the backstop: kubectl delete validatingadmissionpolicybindings " + strings.Join(g.Backstops, " ")
}

// Conclude finds what a probe of the target showed, or why it was refused.
func Conclude(s Subject, g Installed, probed Probed, err error) Finding {
	switch {
	case err != nil:
		f := notGated(v1alpha1.ReasonProbeFailed, fmt.Sprintf("the dry run of a changed template of %s was refused: %v", s.Target.Name, err))
		f.RetryAfter = s.probeAgainAfter(v1alpha1.ReasonProbeFailed)
		return f
	case probed.Held && probed.Evaluated:
		return Finding{
			Condition: gated(metav1.ConditionTrue, v1alpha1.ReasonProbeHeld, "a dry run of a changed template came back held"),
			Proof:     s.proof(g),
		}
	default:
		came := "not held: the admission policies are not in force (yet)"
		if probed.Held {
			came = "held, but not for this spec of the plan: it is not in force (yet)"
		}
		f := notGated(v1alpha1.ReasonProbeNotHeld, fmt.Sprintf("a dry run of a changed template of %s came back %s. "+
			"Rollouts are backed up, and not held; the probe is repeated", s.Target.Name, came))
		f.RetryAfter = s.probeAgainAfter(v1alpha1.ReasonProbeNotHeld)
		return f
	}
}

// probeAgainAfter is when to probe again after a probe that proved nothing. One that was refused is no different from
// one that came back not held: the backstop may have reached admission before the policy that holds.
func (s Subject) probeAgainAfter(reason string) time.Duration {
	old := s.gatedBefore()
	if old != nil && old.Reason == reason && s.Now.Sub(old.LastTransitionTime.Time) > probeSoonFor {
		return probeAgainLater
	}
	return probeAgainSoon
}

// proof names what a probe proves: these policies, with this spec, since the last rollout escaped. What was proven
// before that is worth nothing.
func (s Subject) proof(g Installed) string {
	proof := fmt.Sprintf("%s/%d", g.Fingerprint, s.Plan.Generation)
	if !s.LastEscape.IsZero() {
		proof += fmt.Sprintf("/%d", s.LastEscape.Unix())
	}
	return proof
}

func notGated(reason, message string) Finding {
	return Finding{Condition: gated(metav1.ConditionFalse, reason, message)}
}

func gated(status metav1.ConditionStatus, reason, message string) metav1.Condition {
	return metav1.Condition{Type: v1alpha1.ConditionGated, Status: status, Reason: reason, Message: message}
}
