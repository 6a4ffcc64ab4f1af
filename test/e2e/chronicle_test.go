// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// chronicle watches the cluster and writes down in which order things happened. The order is that of the API server's
// own revisions, so that neither clocks nor whole seconds blur it.
type chronicle struct {
	watched client.Reader

	mu        sync.Mutex
	changed   chan struct{} // closed at the next change
	starts    []start
	completed map[client.ObjectKey]uint64
	images    map[string]map[string]uint64 // of pods, by namespace, with the revision of the first one
	hashes    map[string]map[string]uint64 // the same of the revisions of StatefulSets that pods are labelled with
}

// start is the moment in which a revision of a Deployment was given pods.
type start struct {
	namespace, deployment string
	set                   *appsv1.ReplicaSet
	revision              uint64
	created               bool // in this very moment
}

func newChronicle(ctx context.Context, config *rest.Config) (*chronicle, error) {
	reader, err := cache.New(config, cache.Options{Scheme: scheme()})
	if err != nil {
		return nil, err
	}
	c := &chronicle{
		watched: reader, changed: make(chan struct{}),
		completed: map[client.ObjectKey]uint64{}, images: map[string]map[string]uint64{}, hashes: map[string]map[string]uint64{},
	}
	for _, kind := range []client.Object{
		&v1alpha1.DRPlan{}, &v1alpha1.AppRelease{}, &appsv1.Deployment{}, &appsv1.ReplicaSet{}, &appsv1.StatefulSet{}, &corev1.Pod{},
		&velerov1.Backup{}, &velerov1.BackupStorageLocation{}, &velerov1.Restore{},
	} {
		informer, err := reader.GetInformer(ctx, kind)
		if err != nil {
			return nil, err
		}
		if _, err := informer.AddEventHandler(c.handler()); err != nil {
			return nil, err
		}
	}
	go func() { _ = reader.Start(ctx) }() // It ends with the context, and has nothing to say then.
	if !reader.WaitForCacheSync(ctx) {
		return nil, errors.New("the watches of the tests did not begin")
	}
	return c, nil
}

func (c *chronicle) handler() toolscache.ResourceEventHandler {
	return toolscache.ResourceEventHandlerFuncs{
		AddFunc:    func(obj any) { c.note(nil, obj) },
		UpdateFunc: c.note,
		DeleteFunc: func(any) { c.note(nil, nil) },
	}
}

// note writes down what a change means and wakes those who wait.
func (c *chronicle) note(from, to any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch to := to.(type) {
	case *appsv1.ReplicaSet:
		before, _ := from.(*appsv1.ReplicaSet)
		c.noteStart(before, to)
	case *velerov1.Backup:
		key := client.ObjectKeyFromObject(to)
		if _, known := c.completed[key]; !known && to.Status.Phase == velerov1.BackupPhaseCompleted {
			c.completed[key] = revision(to)
		}
	case *corev1.Pod:
		for _, container := range to.Spec.Containers {
			noteFirst(c.images, to, container.Image)
		}
		noteFirst(c.hashes, to, to.Labels[appsv1.StatefulSetRevisionLabel])
	}
	close(c.changed)
	c.changed = make(chan struct{})
}

// noteFirst notes a pod where it is the first of its namespace that has something.
func noteFirst(seen map[string]map[string]uint64, pod *corev1.Pod, has string) {
	if seen[pod.Namespace] == nil {
		seen[pod.Namespace] = map[string]uint64{}
	}
	if _, known := seen[pod.Namespace][has]; !known {
		seen[pod.Namespace][has] = revision(pod)
	}
}

func (c *chronicle) noteStart(from, to *appsv1.ReplicaSet) {
	owner := metav1.GetControllerOf(to)
	if owner == nil || *to.Spec.Replicas == 0 || from != nil && *from.Spec.Replicas > 0 {
		return
	}
	c.starts = append(c.starts, start{
		namespace: to.Namespace, deployment: owner.Name, set: to, revision: revision(to), created: from == nil,
	})
}

// nextChange is closed when something happens after the call.
func (c *chronicle) nextChange() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

// startsOf lists the starts of a Deployment's revisions, oldest first.
func (c *chronicle) startsOf(namespace, deployment string) []start {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(c.starts), func(s start) bool {
		return s.namespace != namespace || s.deployment != deployment
	})
}

// completedAt is the revision at which a Backup became Completed; 0 if it did not.
func (c *chronicle) completedAt(b *velerov1.Backup) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.completed[client.ObjectKeyFromObject(b)]
}

// everRan reports whether a namespace ever had a pod of an image.
func (c *chronicle) everRan(namespace, image string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.images[namespace][image] > 0
}

// firstOf is the revision at which a namespace had its first pod of a revision of a StatefulSet; 0 where it had none.
func (c *chronicle) firstOf(namespace, revision string) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hashes[namespace][revision]
}

func revision(obj client.Object) uint64 {
	n, err := strconv.ParseUint(obj.GetResourceVersion(), 10, 64)
	if err != nil {
		panic(err) // resource versions are numbers since Kubernetes 1.35
	}
	return n
}
