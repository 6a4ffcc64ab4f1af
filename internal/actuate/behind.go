// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package actuate

import (
	"maps"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/internal/workload"
)

// Replaced remembers which versions of objects this process has replaced. A cache that still shows one is behind our
// own write: what would be decided now meets a conflict at best. Nothing rests on it; an operator that is restarted
// forgets it and has at most one request refused more.
type Replaced struct {
	mu       sync.Mutex
	versions map[client.ObjectKey]string
}

// Note remembers that an object replaced another. A write that changed nothing replaced nothing.
func (r *Replaced) Note(old, now client.Object) {
	if old.GetResourceVersion() == now.GetResourceVersion() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.versions == nil {
		r.versions = map[client.ObjectKey]string{}
	}
	r.versions[client.ObjectKeyFromObject(old)] = old.GetResourceVersion()
}

// Shows says whether an object of the cache is one that was replaced. It forgets the object as soon as it is not.
func (r *Replaced) Shows(obj client.Object) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := client.ObjectKeyFromObject(obj)
	version, known := r.versions[key]
	if known && version != obj.GetResourceVersion() {
		delete(r.versions, key)
	}
	return known && version == obj.GetResourceVersion()
}

// letGo remembers which templates this process let go a moment ago. Each kind has a cache of its own: that of Deployments
// may show the next hold before that of ReplicaSets shows what was started in between, and the one hold then looks as the
// other. An operator that is restarted reads both anew.
type letGo struct {
	mu     sync.Mutex
	starts map[types.UID]start
}

type start struct {
	hash string
	at   time.Time
}

// note remembers that a workload was let go.
func (l *letGo) note(v *workload.View, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.starts == nil {
		l.starts = map[types.UID]start{}
	}
	maps.DeleteFunc(l.starts, func(_ types.UID, s start) bool { return now.Sub(s.at) > cacheDelay })
	l.starts[v.UID] = start{v.Template.Hash, now}
}

// unseen says whether a workload is held again, and nothing shows yet what became of the start before. Nothing ever does
// where the Deployment controller did not see that start either.
func (l *letGo) unseen(v *workload.View, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, known := l.starts[v.UID]
	if !known || !v.Held() || now.Sub(s.at) > cacheDelay {
		return false
	}
	_, shown := v.Revision(s.hash)
	return !shown
}

// created remembers the Backups that this process created a moment ago, and that the cache may not show yet.
type created struct {
	mu    sync.Mutex
	times map[string]time.Time
}

// cacheDelay is by how much a cache may be behind without anything being wrong.
const cacheDelay = 5 * time.Second

func (c *created) note(name string, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.times == nil {
		c.times = map[string]time.Time{}
	}
	for other, at := range c.times {
		if now.Sub(at) > cacheDelay {
			delete(c.times, other)
		}
	}
	c.times[name] = now
}

func (c *created) justNow(name string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, known := c.times[name]
	return known && now.Sub(at) <= cacheDelay
}
