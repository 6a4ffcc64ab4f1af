// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package actuate

import (
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
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
