// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/backstay-dr/backstay/internal/observe"
)

// silenceWatch watches over Velero for all plans at once: nothing in the cluster changes when it falls silent, and a timer
// for each plan would be polling. It has every plan decided again when the answer changes, and costs nothing in between.
type silenceWatch struct {
	cache    cache.Informers
	observer *observe.Observer

	// changed gets an event when Velero fell silent, or answers again.
	changed chan event.GenericEvent
}

func newSilenceWatch(informers cache.Informers, observer *observe.Observer) *silenceWatch {
	return &silenceWatch{cache: informers, observer: observer, changed: make(chan event.GenericEvent)}
}

// Start implements manager.Runnable. It runs where the controllers do.
func (w *silenceWatch) Start(ctx context.Context) error {
	validated := make(chan struct{}, 1)
	poke := func(any) {
		select {
		case validated <- struct{}{}:
		default:
		}
	}
	informer, err := w.cache.GetInformer(ctx, &velerov1.BackupStorageLocation{})
	if err != nil {
		return fmt.Errorf("watch storage locations: %w", err)
	}
	registration, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc: poke, UpdateFunc: func(_, now any) { poke(now) }, DeleteFunc: poke,
	})
	if err != nil {
		return fmt.Errorf("watch storage locations: %w", err)
	}
	defer func() { _ = informer.RemoveEventHandler(registration) }()
	return w.watch(ctx, validated)
}

// watch looks when Velero validated a location, and when it would be silent if it validated none.
func (w *silenceWatch) watch(ctx context.Context, validated <-chan struct{}) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	was := false // plans are decided at the start in any case; if it is silent by now, once more
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-validated:
		case <-timer.C:
		}
		life, err := w.observer.Life(ctx)
		if err != nil {
			return err
		}
		now := w.observer.Now()
		silent := life.Silent(now)
		if !silent && !life.Last.IsZero() {
			timer.Reset(life.Until.Sub(now))
		}
		if silent == was {
			continue
		}
		select {
		case w.changed <- event.GenericEvent{Object: client.Object(&velerov1.BackupStorageLocation{})}:
			was = silent
		case <-ctx.Done():
			return nil
		}
	}
}
