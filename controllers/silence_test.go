// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/backstay-dr/backstay/internal/observe"
	"github.com/backstay-dr/backstay/test/gen"
)

// Nothing but a timer reports that Velero fell silent: one for all plans, and once.
func TestSilenceOfVeleroIsToldWhenItBeginsAndWhenItEnds(t *testing.T) {
	validated := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	silentAt := validated.Add(10 * time.Minute)
	var clock atomic.Pointer[time.Time]
	set := func(now time.Time) { clock.Store(&now) }
	set(silentAt.Add(-50 * time.Millisecond))

	location := gen.Location("main", gen.DefaultLocation())
	location.Status.LastValidationTime = &metav1.Time{Time: validated}
	c := fake.NewClientBuilder().WithScheme(Scheme()).WithObjects(location).Build()
	w := newSilenceWatch(nil, &observe.Observer{Reader: c, VeleroNamespace: gen.VeleroNamespace, Now: func() time.Time { return *clock.Load() }})
	ctx, cancel := context.WithCancel(t.Context())
	pokes, ended := make(chan struct{}), make(chan error)
	go func() { ended <- w.watch(ctx, pokes) }()
	told := func(what string, want bool) {
		t.Helper()
		patience := 5 * time.Second
		if !want {
			patience = 100 * time.Millisecond
		}
		select {
		case <-w.changed:
			if !want {
				t.Errorf("%s: told", what)
			}
		case <-time.After(patience):
			if want {
				t.Fatalf("%s: not told", what)
			}
		}
	}
	pokes <- struct{}{} // it has looked at the first validation by the time it takes the next
	set(silentAt)
	told("nothing is validated any more", true)
	pokes <- struct{}{}
	told("it is silent still", false)
	location.Status.LastValidationTime = &metav1.Time{Time: silentAt}
	if err := c.Update(ctx, location); err != nil {
		t.Fatal(err)
	}
	pokes <- struct{}{}
	told("it validates again", true)
	pokes <- struct{}{}
	told("it validates still", false)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
