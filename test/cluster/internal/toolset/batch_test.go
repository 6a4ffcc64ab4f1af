// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package toolset

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBatchesInTheOrderThatKeepsBuildersBusy(t *testing.T) {
	tests := map[string]struct{ names, want []string }{
		"everything": {Names(), []string{
			"kube-apiserver and kubectl", "velero", "velero-plugin-for-aws", "kube-controller-manager and kube-scheduler",
			"kwok", "versitygw", "etcd", "kwok-stages",
		}},
		// Integration tests must not wait for the rest.
		"assets":             {Assets, []string{"kube-apiserver and kubectl", "etcd"}},
		"one":                {[]string{KubeScheduler}, []string{"kube-scheduler"}},
		"named in any order": {[]string{Etcd, Kubectl, Velero}, []string{"kubectl", "velero", "etcd"}},
		"files apart":        {[]string{KwokStages, Kwok}, []string{"kwok", "kwok-stages"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			tools, err := lookup(test.names)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, batch := range batches(tools) {
				got = append(got, namesOf(batch))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("batches (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLookupRefusesWhatItDoesNotKnow(t *testing.T) {
	if _, err := lookup([]string{Etcd, "kubelet"}); err == nil || !strings.Contains(err.Error(), `unknown program "kubelet"`) {
		t.Errorf("unexpected error: %v", err)
	}
}

// schedule runs batches that take a time each, and returns when each began.
func schedule(t *testing.T, durations map[string]time.Duration, all [][]tool) map[string]time.Duration {
	t.Helper()
	var mu sync.Mutex
	began, start := map[string]time.Duration{}, time.Now()
	err := runBatches(t.Context(), 2, all, func(_ context.Context, batch []tool) error {
		mu.Lock()
		began[namesOf(batch)] = time.Since(start)
		mu.Unlock()
		<-time.After(durations[namesOf(batch)])
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return began
}

func TestRunBatchesBuildsAModuleOnlyOnceAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := [][]tool{
			{{name: "a1", module: "a"}}, {{name: "b", module: "b"}}, {{name: "a2", module: "a"}}, {{name: "c", module: "c"}},
		}
		durations := map[string]time.Duration{"a1": 10 * time.Second, "b": 3 * time.Second, "a2": time.Second, "c": time.Second}
		// a2 is next after b, but a1 is not finished: c goes first.
		want := map[string]time.Duration{"a1": 0, "b": 0, "c": 3 * time.Second, "a2": 10 * time.Second}
		if diff := cmp.Diff(want, schedule(t, durations, all)); diff != "" {
			t.Errorf("beginnings (-want +got):\n%s", diff)
		}
	})
}

func TestRunBatchesStopsAtTheFirstError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		all := [][]tool{
			{{name: "a", module: "a"}}, {{name: "b", module: "b"}}, {{name: "c", module: "c"}}, {{name: "c2", module: "c"}},
		}
		var mu sync.Mutex
		var begun []string
		err := runBatches(t.Context(), 2, all, func(ctx context.Context, batch []tool) error {
			mu.Lock()
			begun = append(begun, batch[0].name)
			mu.Unlock()
			if batch[0].name == "b" {
				return broken
			}
			<-ctx.Done() // as a build does that is told to stop
			return ctx.Err()
		})
		slices.Sort(begun)
		if diff := cmp.Diff([]string{"a", "b"}, begun); diff != "" {
			t.Errorf("begun (-want +got):\n%s", diff)
		}
		if !errors.Is(err, broken) {
			t.Errorf("error %v, want the first one", err)
		}
	})
}
