// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/backstay-dr/backstay/controllers"
	"github.com/backstay-dr/backstay/test/integration/stage"
)

// bareLoop is the least that could do the operator's work: watch Backups, and unpause a Deployment once one is
// Completed. It checks nothing, remembers nothing and tells nobody.
type bareLoop struct {
	on       *stage.Stage
	watching client.WithWatch
}

func newBareLoop(ctx context.Context, on *stage.Stage) (*bareLoop, error) {
	watching, err := client.NewWithWatch(on.Admin, client.Options{Scheme: controllers.Scheme()})
	if err != nil {
		return nil, err
	}
	return &bareLoop{on: on, watching: watching}, on.Live.Create(ctx, stage.NewDeployment(namespace, bareSubject, "none"))
}

// round pauses the Deployment, and completes a Backup that the loop waits for. It returns how long the Deployment was
// paused after the Backup was Completed.
func (b *bareLoop) round(ctx context.Context, n int) (time.Duration, error) {
	backup := &velerov1.Backup{}
	backup.Namespace, backup.Name = stage.VeleroNamespace, fmt.Sprintf("bare-%d", n)
	if err := b.on.Live.Create(ctx, backup); err != nil {
		return 0, err
	}
	if err := b.pause(ctx, "true"); err != nil {
		return 0, err
	}
	backups, err := b.watching.Watch(ctx, &velerov1.BackupList{}, client.InNamespace(stage.VeleroNamespace))
	if err != nil {
		return 0, err
	}
	defer backups.Stop()
	done := make(chan error, 1)
	go func() { done <- b.resumeWhenCompleted(ctx, backups, backup.Name) }()
	took, err := completeAndWatch(ctx, b.on, backup.Name, bareSubject)
	if err != nil {
		return 0, err
	}
	return took, <-done
}

func (b *bareLoop) resumeWhenCompleted(ctx context.Context, backups watch.Interface, name string) error {
	for event := range backups.ResultChan() {
		backup, ok := event.Object.(*velerov1.Backup)
		if ok && backup.Name == name && backup.Status.Phase == velerov1.BackupPhaseCompleted {
			return b.pause(ctx, "null")
		}
	}
	return fmt.Errorf("the watch of Backups ended")
}

func (b *bareLoop) pause(ctx context.Context, value string) error {
	return b.watching.Patch(ctx, stage.NewDeployment(namespace, bareSubject, ""),
		client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"spec":{"paused":%s}}`, value)))
}

// watchOne watches one Deployment, from its current state on.
func watchOne(ctx context.Context, on *stage.Stage, name string) (watch.Interface, error) {
	watching, err := client.NewWithWatch(on.Admin, client.Options{Scheme: controllers.Scheme()})
	if err != nil {
		return nil, err
	}
	return watching.Watch(ctx, &appsv1.DeploymentList{}, client.InNamespace(namespace),
		client.MatchingFieldsSelector{Selector: fields.OneTermEqualSelector("metadata.name", name)})
}
