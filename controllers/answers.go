// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/gate"
)

const (
	// keepAnswers is for how long the answer to a probe is remembered. What it proves does not age, but every plan of its
	// namespace has read it by then.
	keepAnswers = time.Minute
	// askingAfter is when a plan looks again while another one of its namespace is being probed.
	askingAfter = 20 * time.Millisecond
)

// errAsking says that another plan of the namespace is being probed: the answer may be for this one too.
var errAsking = errors.New("another plan of the namespace is being probed")

// answers remembers what came back last from a probe that was held, for each namespace. The policy that holds is evaluated for
// every plan of the namespace, and says for which. An operator that is restarted asks again where it needs to.
type answers struct {
	mu    sync.Mutex
	of    map[string]*namespaceAnswer
	swept time.Time
}

type namespaceAnswer struct {
	asking      bool
	at          time.Time
	fingerprint string
	gate.Answer
}

// find returns the answer that was given for a plan under the policies of that fingerprint, or asks for one. It never asks for
// two plans of a namespace at the same time: many plans in one namespace must not keep every worker busy.
func (a *answers) find(
	plan *v1alpha1.DRPlan, fingerprint string, now time.Time, ask func() (answer gate.Answer, held bool, err error),
) (answer gate.Answer, held bool, err error) {
	if answer, known, err := a.begin(plan, fingerprint, now); known || err != nil {
		return answer, known, err
	}
	defer func() { a.end(plan.Namespace, fingerprint, answer, held && err == nil) }()
	return ask()
}

// begin returns what is known for a plan. Where nothing is, the caller asks, and must call end.
func (a *answers) begin(plan *v1alpha1.DRPlan, fingerprint string, now time.Time) (answer gate.Answer, known bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sweep(now)
	n := a.of[plan.Namespace]
	if n == nil {
		n = &namespaceAnswer{}
		a.of[plan.Namespace] = n
	}
	n.at = now
	switch {
	case n.fingerprint == fingerprint && n.For(plan):
		return n.Answer, true, nil
	case n.asking:
		return gate.Answer{}, false, errAsking
	default:
		n.asking = true
		return gate.Answer{}, false, nil
	}
}

func (a *answers) end(namespace, fingerprint string, answer gate.Answer, held bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := a.of[namespace]
	n.asking = false
	if held {
		n.fingerprint, n.Answer = fingerprint, answer
	}
}

func (a *answers) sweep(now time.Time) {
	if a.of == nil {
		a.of = map[string]*namespaceAnswer{}
	}
	if now.Sub(a.swept) > keepAnswers {
		maps.DeleteFunc(a.of, func(_ string, n *namespaceAnswer) bool { return !n.asking && now.Sub(n.at) > keepAnswers })
		a.swept = now
	}
}
