// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/integration/stage"
)

// read reads an object from the API server.
func (s *shop) read(obj client.Object, key client.ObjectKey) {
	s.Helper()
	if err := s.stage.Live.Get(s.Context(), key, obj); err != nil {
		s.Fatal(err)
	}
}

func (s *shop) workload(name string) *appsv1.Deployment {
	s.Helper()
	d := &appsv1.Deployment{}
	s.read(d, s.key(name))
	return d
}

func (s *shop) release(name string) *v1alpha1.AppRelease {
	s.Helper()
	r := &v1alpha1.AppRelease{}
	s.read(r, s.key(name))
	return r
}

func (s *shop) current() *v1alpha1.DRPlan {
	s.Helper()
	p := &v1alpha1.DRPlan{}
	s.read(p, s.key("shop"))
	return p
}

func (s *shop) backup(name string) *velerov1.Backup {
	s.Helper()
	b := &velerov1.Backup{}
	s.read(b, client.ObjectKey{Namespace: stage.VeleroNamespace, Name: name})
	return b
}

// backups lists every Backup that exists for the namespace.
func (s *shop) backups() []string {
	s.Helper()
	list := &velerov1.BackupList{}
	if err := s.stage.Live.List(s.Context(), list, client.InNamespace(stage.VeleroNamespace),
		client.MatchingLabels{v1alpha1.LabelNamespace: s.namespace}); err != nil {
		s.Fatal(err)
	}
	var names []string
	for i := range list.Items {
		names = append(names, list.Items[i].Name)
	}
	return names
}

// backupsAre fails the test unless there are as many Backups.
func (s *shop) backupsAre(want int) {
	s.Helper()
	if got := s.backups(); len(got) != want {
		s.Errorf("there are %d backups, want %d: %v", len(got), want, got)
	}
}

// releases lists the names of every AppRelease of the namespace.
func (s *shop) releases() []string {
	s.Helper()
	list := &v1alpha1.AppReleaseList{}
	if err := s.stage.Live.List(s.Context(), list, client.InNamespace(s.namespace)); err != nil {
		s.Fatal(err)
	}
	var names []string
	for i := range list.Items {
		names = append(names, list.Items[i].Name)
	}
	return names
}

// stalled fails the test unless a release is, or is not, Stalled.
func (s *shop) stalled(r *v1alpha1.AppRelease, want bool) {
	s.Helper()
	if got := meta.IsStatusConditionTrue(r.Status.Conditions, v1alpha1.ConditionStalled); got != want {
		s.Errorf("Stalled of %s is %t, want %t", r.Name, got, want)
	}
}
