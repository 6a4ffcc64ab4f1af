// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// For how long a status may be put off that is about to change again. Nobody reads what is over sooner. That of a plan
// follows those of its releases.
const (
	settleRelease = time.Second
	settlePlan    = 2 * time.Second
)

// putOffs remembers since when a write is put off. That is all it is: an operator that is restarted forgets it and
// writes at most one status more.
type putOffs struct {
	limit time.Duration

	mu    sync.Mutex
	since map[client.ObjectKey]time.Time
}

// more says for how long the write may still be put off; 0 for no longer. Each write starts anew.
func (p *putOffs) more(key client.ObjectKey, settling bool, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	since, known := p.since[key]
	if settling && !known {
		if p.since == nil {
			p.since = map[client.ObjectKey]time.Time{}
		}
		p.since[key] = now
		return p.limit
	}
	if left := since.Add(p.limit).Sub(now); settling && left > 0 {
		return left
	}
	delete(p.since, key)
	return 0
}
