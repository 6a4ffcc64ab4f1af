// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package actuate

import (
	"testing"
	"time"

	"github.com/backstay-dr/backstay/api/v1alpha1"
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

func TestBackupIsCreatedAgainOnlyWhenTheCacheHadTimeToShowIt(t *testing.T) {
	var c created
	now := time.Unix(1000, 0)
	c.note("a", now)
	if !c.justNow("a", now.Add(cacheDelay)) || c.justNow("b", now) {
		t.Error("a was created just now, and b was not")
	}
	if c.justNow("a", now.Add(cacheDelay+1)) {
		t.Error("a backup that is gone is never created again")
	}
	c.note("b", now.Add(cacheDelay+1))
	if len(c.times) != 1 {
		t.Errorf("it remembers for ever: %v", c.times)
	}
}
