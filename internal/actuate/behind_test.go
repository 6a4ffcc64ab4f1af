// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package actuate

import (
	"fmt"
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/ledger"
	"github.com/backstay-dr/backstay/internal/workload"
	"github.com/backstay-dr/backstay/test/gen"
)

func TestCacheIsBehindUntilItShowsAnotherVersion(t *testing.T) {
	at := func(version string) *v1alpha1.DRPlan {
		p := &v1alpha1.DRPlan{}
		p.Namespace, p.Name, p.ResourceVersion = "shop", "shop", version
		return p
	}
	var r Replaced
	if r.Shows(at("1")) {
		t.Error("nothing was replaced")
	}
	r.Note(at("1"), at("1"))
	if r.Shows(at("1")) {
		t.Error("a write that changed nothing would be waited for without end")
	}
	r.Note(at("1"), at("2"))
	if !r.Shows(at("1")) {
		t.Error("version 1 was replaced")
	}
	if r.Shows(at("2")) || len(r.versions) != 0 {
		t.Error("the cache has caught up, and it is remembered all the same")
	}
}

// Workloads of different kinds may share a name.
func TestCacheIsBehindForTheWorkloadThatWasPatched(t *testing.T) {
	at := func(kind v1alpha1.WorkloadKind, version string) *workload.View {
		return &workload.View{Key: workload.Key{Group: "apps", Kind: kind, Name: "web"}, Namespace: "shop", ResourceVersion: version}
	}
	now := gen.Deployment("web", gen.ResourceVersion("2"))
	var r Replaced
	r.noteWorkload(at("Deployment", "1"), now)
	if r.showsWorkload(at("StatefulSet", "1")) || r.showsWorkload(at("StatefulSet", "3")) {
		t.Error("a workload of another kind was not replaced")
	}
	if !r.showsWorkload(at("Deployment", "1")) {
		t.Error("version 1 was replaced")
	}
	if r.showsWorkload(at("Deployment", "2")) || len(r.versions) != 0 {
		t.Error("the cache has caught up, and it is remembered all the same")
	}
}

func TestBackupIsCreatedAgainOnlyWhenTheCacheHadTimeToShowIt(t *testing.T) {
	var c created
	now := time.Unix(1000, 0)
	in := facts.Input{Now: now}
	a, b := gen.Backup("a", gen.Label(v1alpha1.LabelNamespace, "shop")), gen.Backup("b", gen.Label(v1alpha1.LabelNamespace, "bank"))
	c.reserve(a, in, now)
	if !c.justNow("a", now.Add(cacheDelay)) || c.justNow("b", now) {
		t.Error("a was created just now, and b was not")
	}
	if c.justNow("a", now.Add(cacheDelay+1)) {
		t.Error("a backup that is gone is never created again")
	}
	c.reserve(b, in, now.Add(cacheDelay+1))
	if len(c.backups) != 1 {
		t.Errorf("it remembers for ever: %v", c.backups)
	}
	if of := c.of("bank", now.Add(cacheDelay+1)); len(of) != 1 || len(c.of("shop", now.Add(cacheDelay+1))) != 0 {
		t.Errorf("of bank: %v", of)
	}
	c.forget("b")
	if len(c.backups) != 0 {
		t.Errorf("it remembers what was not created: %v", c.backups)
	}
}

// Decisions about several plans of a namespace are made at the same time, each of which sees room for one more backup.
func TestBackupsOfDecisionsAtTheSameTimeAreBounded(t *testing.T) {
	var c created
	now := time.Unix(1000, 0)
	backup := func(name, namespace string) *velerov1.Backup {
		return gen.Backup(name, gen.Label(v1alpha1.LabelNamespace, namespace))
	}
	in := facts.Input{Now: now, UnderWay: map[string]bool{}}
	for i := range ledger.MaxUnderWay {
		if !c.reserve(backup(fmt.Sprint(i), "shop"), in, now) {
			t.Fatalf("backup %d has no room", i)
		}
	}
	if c.reserve(backup("more", "shop"), in, now) {
		t.Error("there is room for one more than may be under way")
	}
	if !c.reserve(backup("0", "shop"), facts.Input{Now: now, UnderWay: map[string]bool{"0": true, "1": true, "2": true, "3": true}}, now) {
		t.Error("one that is under way has no room for itself")
	}
	if !c.reserve(backup("theirs", "bank"), in, now) {
		t.Error("another namespace has no room")
	}
	later := now.Add(time.Second)
	if !c.reserve(backup("more", "shop"), facts.Input{Now: later, UnderWay: map[string]bool{"1": true}}, later) {
		t.Error("what a later decision saw to be over still takes room")
	}
}

// The caches of Deployments and of ReplicaSets are not behind by the same.
func TestPromise1_NextHoldIsNotDecidedBeforeTheStartBetweenIsSeen(t *testing.T) {
	now := time.Unix(1000, 0)
	held := workload.View{
		Namespace: "shop", UID: "1", Paused: true, HeldBy: "shop/shop", Template: workload.Template{Hash: "new"},
		Revisions: []workload.Revision{{Template: workload.Template{Hash: "old"}}},
	}
	var l released
	if l.unseen(&held, now) {
		t.Error("nothing was let go")
	}
	l.note(&held, now)
	again := held
	again.Template.Hash = "newer"
	if !l.unseen(&again, now.Add(cacheDelay)) {
		t.Error("no ReplicaSet shows what was let go")
	}
	running := again
	running.Paused, running.HeldBy = false, ""
	if l.unseen(&running, now) {
		t.Error("it is not held")
	}
	shown := again
	shown.Revisions = append(shown.Revisions, workload.Revision{Template: workload.Template{Hash: "new"}})
	if l.unseen(&shown, now) {
		t.Error("a ReplicaSet shows what was let go")
	}
	other := again
	other.UID = "2"
	if l.unseen(&other, now) {
		t.Error("it is another workload of the same name")
	}
	if l.unseen(&again, now.Add(cacheDelay+1)) {
		t.Error("the Deployment controller may never have seen it; nobody waits without end")
	}
	l.note(&other, now.Add(cacheDelay+1))
	if len(l.starts) != 1 {
		t.Errorf("it remembers for ever: %v", l.starts)
	}
}
