// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package actuate

import (
	"maps"
	"sync"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/ledger"
	"github.com/backstay-dr/backstay/internal/workload"
)

// Replaced remembers which versions of objects this process has replaced. A cache that still shows one is behind our
// own write: what would be decided now meets a conflict at best. Nothing rests on it; an operator that is restarted
// forgets it and has at most one request refused more.
type Replaced struct {
	mu       sync.Mutex
	versions map[objectKey]string
}

// objectKey identifies an object. Only workloads have a kind in it: of anything else a Replaced remembers one kind.
type objectKey struct {
	namespace string
	workload.Key
}

func keyOf(obj client.Object) objectKey {
	return objectKey{obj.GetNamespace(), workload.Key{Name: obj.GetName()}}
}

// Note remembers that an object replaced another. A write that changed nothing replaced nothing.
func (r *Replaced) Note(old, now client.Object) {
	r.note(keyOf(old), old.GetResourceVersion(), now.GetResourceVersion())
}

// Shows says whether an object of the cache is one that was replaced. It forgets the object as soon as it is not.
func (r *Replaced) Shows(obj client.Object) bool {
	return r.shows(keyOf(obj), obj.GetResourceVersion())
}

// noteWorkload is Note for the workload that a view was taken of.
func (r *Replaced) noteWorkload(v *workload.View, now client.Object) {
	r.note(objectKey{v.Namespace, v.Key}, v.ResourceVersion, now.GetResourceVersion())
}

// showsWorkload is Shows for the workload that a view was taken of.
func (r *Replaced) showsWorkload(v *workload.View) bool {
	return r.shows(objectKey{v.Namespace, v.Key}, v.ResourceVersion)
}

func (r *Replaced) note(key objectKey, old, now string) {
	if old == now {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.versions == nil {
		r.versions = map[objectKey]string{}
	}
	r.versions[key] = old
}

func (r *Replaced) shows(key objectKey, version string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	replaced, known := r.versions[key]
	if known && replaced != version {
		delete(r.versions, key)
	}
	return known && replaced == version
}

// released remembers which templates this process released a moment ago. Each kind has a cache of its own: that of workloads
// may show the next hold before that of their revisions shows what was started in between, and the one hold then looks as the
// other. An operator that is restarted reads both anew.
type released struct {
	mu     sync.Mutex
	starts map[types.UID]start
}

type start struct {
	hash string
	at   time.Time
}

// note remembers that a workload was released.
func (l *released) note(v *workload.View, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.starts == nil {
		l.starts = map[types.UID]start{}
	}
	maps.DeleteFunc(l.starts, func(_ types.UID, s start) bool { return now.Sub(s.at) > cacheDelay })
	l.starts[v.UID] = start{v.Template.Hash, now}
}

// unseen says whether a workload is held again, and nothing shows yet what became of the start before. Nothing ever does
// where the controller of the workload did not see that start either.
func (l *released) unseen(v *workload.View, now time.Time) bool {
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
	mu      sync.Mutex
	backups map[string]creation
}

type creation struct {
	namespace string // that it is of
	at        time.Time
}

// cacheDelay is by how much a cache may be behind without anything being wrong.
const cacheDelay = 5 * time.Second

// reserve notes that a backup is about to be created. It is false where others that were created since a decision left no
// room for it: decisions about several plans of a namespace are made at the same time.
func (c *created) reserve(b *velerov1.Backup, in facts.Input, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.backups, func(_ string, made creation) bool { return now.Sub(made.at) > cacheDelay })
	namespace, others := b.Labels[v1alpha1.LabelNamespace], len(in.UnderWay)
	for name, made := range c.backups {
		if made.namespace == namespace && !made.at.Before(in.Now) && !in.UnderWay[name] {
			others++
		}
	}
	if others >= ledger.MaxUnderWay && !in.UnderWay[b.Name] {
		return false
	}
	if c.backups == nil {
		c.backups = map[string]creation{}
	}
	c.backups[b.Name] = creation{namespace, now}
	return true
}

// forget: it was not created.
func (c *created) forget(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.backups, name)
}

func (c *created) justNow(name string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	made, known := c.backups[name]
	return known && now.Sub(made.at) <= cacheDelay
}

// of lists the backups of a namespace that were created a moment ago.
func (c *created) of(namespace string, now time.Time) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var names []string
	for name, made := range c.backups {
		if made.namespace == namespace && now.Sub(made.at) <= cacheDelay {
			names = append(names, name)
		}
	}
	return names
}
