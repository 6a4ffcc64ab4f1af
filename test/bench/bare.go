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
	return &bareLoop{on: on, watching: watching}, on.Live.Create(ctx, stage.NewDeployment(home, bareSubject, "none"))
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
	took, err := completeAndWatch(ctx, b.on, backup.Name, home, bareSubject)
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
	return b.watching.Patch(ctx, stage.NewDeployment(home, bareSubject, ""),
		client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"spec":{"paused":%s}}`, value)))
}

// bareTeller is the least that could tell anybody of an edit: watch a Deployment, and write its image into one object of
// a custom resource. It compares nothing.
type bareTeller struct {
	on                   *stage.Stage
	deployments, records following
	ended                chan error
}

// bareRecord is the Backup that is written to. Velero is played, and no plan's label is on it: nobody looks at it.
const bareRecord = "bare-record"

func newBareTeller(ctx context.Context, on *stage.Stage) (*bareTeller, error) {
	record := &velerov1.Backup{}
	record.Namespace, record.Name = stage.VeleroNamespace, bareRecord
	if err := on.Live.Create(ctx, record); err != nil {
		return nil, err
	}
	if err := on.Live.Create(ctx, stage.NewDeployment(home, bareSubject, "none")); err != nil {
		return nil, err
	}
	watching, err := client.NewWithWatch(on.Admin, client.Options{Scheme: controllers.Scheme()})
	if err != nil {
		return nil, err
	}
	deployments, err := watchOne(ctx, on, home, bareSubject)
	if err != nil {
		return nil, err
	}
	records, err := watching.Watch(ctx, &velerov1.BackupList{}, client.InNamespace(stage.VeleroNamespace))
	if err != nil {
		deployments.Stop()
		return nil, err
	}
	b := &bareTeller{on: on, deployments: deployments, records: follow(records), ended: make(chan error, 1)}
	go func() { b.ended <- b.tell(ctx, watching) }()
	return b, nil
}

func (b *bareTeller) tell(ctx context.Context, writing client.Client) error {
	last := ""
	for event := range b.deployments.events {
		d, ok := event.Object.(*appsv1.Deployment)
		if !ok || d.Spec.Template.Spec.Containers[0].Image == last {
			continue
		}
		last = d.Spec.Template.Spec.Containers[0].Image
		record := &velerov1.Backup{}
		record.Namespace, record.Name = stage.VeleroNamespace, bareRecord
		patch := client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"metadata":{"annotations":{"image":%q}}}`, last))
		if err := writing.Patch(ctx, record, patch); err != nil {
			return err
		}
	}
	return nil
}

// round brings the bare subject to another version, and returns how long after that the record that tells of it was seen.
func (b *bareTeller) round(ctx context.Context, n int) (time.Duration, error) {
	if err := sleep(ctx, breath); err != nil {
		return 0, err
	}
	version := fmt.Sprintf("2.0.%d", n)
	began := time.Now()
	if err := setImage(ctx, b.on, home, bareSubject, version); err != nil {
		return 0, err
	}
	err := next(ctx, b.records, func(r *velerov1.Backup) bool { return r.Annotations["image"] == stage.Image(version) })
	return time.Since(began), err
}

func (b *bareTeller) stop() {
	b.deployments.Stop()
	b.records.Stop()
	<-b.ended
}

// watchOne watches one Deployment, from its current state on.
func watchOne(ctx context.Context, on *stage.Stage, namespace, name string) (following, error) {
	watching, err := client.NewWithWatch(on.Admin, client.Options{Scheme: controllers.Scheme()})
	if err != nil {
		return following{}, err
	}
	deployments, err := watching.Watch(ctx, &appsv1.DeploymentList{}, client.InNamespace(namespace),
		client.MatchingFieldsSelector{Selector: fields.OneTermEqualSelector("metadata.name", name)})
	if err != nil {
		return following{}, err
	}
	return follow(deployments), nil
}
