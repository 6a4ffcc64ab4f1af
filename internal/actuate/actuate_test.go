// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package actuate

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/plan"
	"github.com/backstay-dr/backstay/internal/telemetry"
	"github.com/backstay-dr/backstay/internal/workload"
	"github.com/backstay-dr/backstay/test/gen"
)

// bench is an Actuator on a client that refuses what it is told to, and notes what was written.
type bench struct {
	Actuator
	refused string
	written []string
}

func newBench(t *testing.T, refused string, objects ...client.Object) *bench {
	t.Helper()
	scheme := runtime.NewScheme()
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	utilruntime.Must(velerov1.AddToScheme(scheme))
	utilruntime.Must(appsv1.AddToScheme(scheme))
	b := &bench{refused: refused}
	stored := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
	c := interceptor.NewClient(stored, interceptor.Funcs{
		Create: func(_ context.Context, _ client.WithWatch, obj client.Object, _ ...client.CreateOption) error {
			return b.write("create", obj)
		},
		Patch: func(_ context.Context, _ client.WithWatch, obj client.Object, _ client.Patch, _ ...client.PatchOption) error {
			return b.write("patch", obj)
		},
		SubResourceUpdate: func(_ context.Context, _ client.Client, _ string, obj client.Object, _ ...client.SubResourceUpdateOption) error {
			return b.write("status", obj)
		},
	})
	metrics, err := telemetry.NewMetrics(prometheus.NewRegistry(), c)
	if err != nil {
		t.Fatal(err)
	}
	b.Actuator = Actuator{
		Client: c, Live: c, VeleroNamespace: "velero", Metrics: metrics, Now: time.Now,
		Events: telemetry.Events{Recorder: events.NewFakeRecorder(100)},
	}
	return b
}

func (b *bench) write(verb string, obj client.Object) error {
	what := verb + " " + obj.GetName()
	if what == b.refused {
		return apierrors.NewForbidden(schema.GroupResource{}, obj.GetName(), errors.New("exceeded quota"))
	}
	b.written = append(b.written, what)
	return nil
}

// everything is a decision that does a bit of everything, for two releases that have nothing to do with each other.
func everything() (facts.Input, plan.Decision) {
	in := facts.Input{Namespace: "shop", Name: "shop", Plan: gen.Plan("shop"), Releases: []*v1alpha1.AppRelease{gen.Release("shop", "1")}}
	fresh := gen.Release("shop", "2")
	backup := &velerov1.Backup{}
	backup.Name, backup.Annotations = "backup-2", map[string]string{v1alpha1.AnnotationReleaseVersion: "2"}
	return in, plan.Decision{
		Create:     []*v1alpha1.AppRelease{fresh},
		Statuses:   map[string]*v1alpha1.AppReleaseStatus{"shop-1": {}, "shop-2": {}},
		WriteAhead: true,
		Backups:    []*velerov1.Backup{backup},
		Starts: []plan.Start{
			{Workload: view("api"), Release: "shop-1", Reason: string(v1alpha1.StartBackupCompleted)},
			{Workload: view("web"), Release: "shop-2", Reason: string(v1alpha1.StartBackupCompleted)},
		},
		Clean: []workload.View{view("job"), overridden("cron")},
	}
}

// overridden is a workload that carries the record of an override.
func overridden(name string) workload.View {
	v := view(name)
	v.Override = &workload.Override{User: "eva", Reason: "INC-1"}
	return v
}

func view(name string) workload.View {
	return workload.FromDeployment(gen.Deployment(name, gen.Held("shop", "shop")), nil)
}

// What is refused keeps nothing waiting but what relies on it: never a start without its record, and never a backup. And no
// record of an override is removed from a workload that may be the only one.
func TestRefusedWriteKeepsNothingElseWaiting(t *testing.T) {
	all := []string{"create shop-2", "status shop-1", "status shop-2", "create backup-2", "patch api", "patch web", "patch job", "patch cron"}
	for refused, lost := range map[string][]string{
		"create shop-2":   {"create shop-2", "status shop-2", "create backup-2", "patch web", "patch cron"},
		"status shop-2":   {"status shop-2", "create backup-2", "patch web", "patch cron"},
		"status shop-1":   {"status shop-1", "patch api", "patch cron"},
		"create backup-2": {"create backup-2"},
		"patch api":       {"patch api"},
		"patch job":       {"patch job"},
	} {
		t.Run(refused, func(t *testing.T) {
			b := newBench(t, refused)
			in, d := everything()
			if err := b.Apply(t.Context(), in, d); !apierrors.IsForbidden(err) {
				t.Errorf("Apply() = %v", err)
			}
			want := slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(lost, s) })
			if !slices.Equal(b.written, want) {
				t.Errorf("written:\n%q, want\n%q", b.written, want)
			}
		})
	}
}

// One workload that cannot be released keeps no status from being written.
func TestRefusedStartKeepsNoStatusWaiting(t *testing.T) {
	b := newBench(t, "patch api")
	in, d := everything()
	d.Create, d.Backups, d.WriteAhead = nil, nil, false
	d.Statuses = map[string]*v1alpha1.AppReleaseStatus{"shop-1": {}}
	if err := b.Apply(t.Context(), in, d); !apierrors.IsForbidden(err) {
		t.Errorf("Apply() = %v", err)
	}
	if want := []string{"patch web", "status shop-1", "patch job", "patch cron"}; !slices.Equal(b.written, want) {
		t.Errorf("written %q, want %q", b.written, want)
	}
}

// The cache of plans may be behind the one that shows a hold: what the plan alone lets go is asked of the API server first.
func TestPromise1_NothingIsLetGoByAPlanThatTheCacheShowsNoMore(t *testing.T) {
	observes := gen.Plan("shop", gen.Mode(v1alpha1.GateModeObserve))
	observes.UID, observes.Generation = "a", 1
	holds := observes.DeepCopy()
	holds.Spec.Gate.Mode, holds.Generation = v1alpha1.GateModeHold, 2
	another := observes.DeepCopy()
	another.UID = "b"
	for name, tc := range map[string]struct {
		live, cached *v1alpha1.DRPlan
		reason       string
		goes         bool
	}{
		"gone, as the cache says":             {nil, nil, plan.StartPlanDeleted, true},
		"not in the cache yet":                {holds, nil, plan.StartPlanDeleted, false},
		"observes, as the cache says":         {observes, observes, string(v1alpha1.StartModeChanged), true},
		"holds since":                         {holds, observes, string(v1alpha1.StartModeChanged), false},
		"another deadline since":              {holds, observes, string(v1alpha1.StartDeadlinePassed), false},
		"gone, and another of its name there": {another, observes, string(v1alpha1.StartModeChanged), false},
		"gone since":                          {nil, observes, string(v1alpha1.StartModeChanged), false},
		"a backup needs no plan":              {holds, observes, string(v1alpha1.StartBackupCompleted), true},
	} {
		t.Run(name, func(t *testing.T) {
			var stored []client.Object
			if tc.live != nil {
				live := tc.live.DeepCopy()
				live.Namespace = "shop"
				stored = append(stored, live)
			}
			b := newBench(t, "", stored...)
			in := facts.Input{Namespace: "shop", Name: "shop", Plan: tc.cached}
			err := b.Apply(t.Context(), in, plan.Decision{Starts: []plan.Start{{Workload: view("web"), Reason: tc.reason}}})
			if went := len(b.written) > 0; went != tc.goes || tc.goes != (err == nil) || !tc.goes && !apierrors.IsConflict(err) {
				t.Errorf("let go: %t, want %t; %v", went, tc.goes, err)
			}
		})
	}
}
