// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package control

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// recorder is a supervisor that writes down what it is asked for.
type recorder struct {
	folder string
	asked  []string
	down   chan struct{}
}

func (r *recorder) Status() Status {
	return Status{Name: "test", Folder: r.folder, Phase: PhaseReady, Programs: []ProgramStatus{{Name: "etcd", State: StateReady, PID: 7}}}
}

func (r *recorder) ControlStart(_ context.Context, q StartRequest) error {
	r.asked = append(r.asked, "start "+strings.Join(append([]string{q.Name, q.Path, q.ReadyURL}, append(q.Args, q.Env...)...), " "))
	return nil
}

func (r *recorder) StopProgram(_ context.Context, name string) error {
	if name == "ghost" {
		return errors.New("the cluster has no program \"ghost\"")
	}
	r.asked = append(r.asked, "stop "+name)
	return nil
}

func (r *recorder) ServiceAccountKubeconfig(_ context.Context, namespace, name string) (string, error) {
	return namespace + "." + name, nil
}

func (r *recorder) ReservePort() (int, error) { return 20001, nil }

func (r *recorder) RequestDown() { close(r.down) }

// serve runs a supervisor as a cluster does: lock, then listen; when it ends, the other way round.
func serve(t *testing.T) (*recorder, *Client) {
	t.Helper()
	r := &recorder{folder: t.TempDir(), down: make(chan struct{})}
	unlock, err := Lock(r.folder)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := Listen(r.folder)
	if err != nil {
		t.Fatal(err)
	}
	server := NewServer(r)
	ended := make(chan struct{})
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
		close(ended)
	}()
	go func() {
		<-r.down
		_ = server.Close() // Only connections are cut.
		<-ended
		if err := unlock(); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() {
		select {
		case <-r.down:
		default:
			close(r.down)
		}
		<-ended
	})
	return r, NewClient(r.folder)
}

func TestClientReachesTheSupervisor(t *testing.T) {
	r, client := serve(t)
	ctx := t.Context()
	if s, err := client.Status(ctx); err != nil || cmp.Diff(r.Status(), s) != "" {
		t.Errorf("status: error %v, (-want +got):\n%s", err, cmp.Diff(r.Status(), s))
	}
	if err := client.Start(ctx, StartRequest{Name: "app", Path: "/app", Args: []string{"-v", "a b"}, Env: []string{"A=1"}, ReadyURL: "http://x"}); err != nil {
		t.Error(err)
	}
	if err := client.Stop(ctx, "velero"); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"start app /app http://x -v a b A=1", "stop velero"}, r.asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	if port, err := client.ReservePort(ctx); err != nil || port != 20001 {
		t.Errorf("port %d, error %v", port, err)
	}
	if file, err := client.ServiceAccountKubeconfig(ctx, "shop", "bob"); err != nil || file != "shop.bob" {
		t.Errorf("file %q, error %v", file, err)
	}
	if err := client.Stop(ctx, "ghost"); err == nil || err.Error() != `the cluster has no program "ghost"` {
		t.Errorf("error %v, want the supervisor's own words", err)
	}
}

func TestDownReturnsWhenTheSupervisorIsGone(t *testing.T) {
	r, client := serve(t)
	if !Running(r.folder) {
		t.Fatal("the cluster does not run")
	}
	if err := client.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	if Running(r.folder) {
		t.Error("the supervisor is still there")
	}
	if err := client.Stop(t.Context(), "velero"); err == nil || !strings.Contains(err.Error(), "is not running") {
		t.Errorf("error %v, want that the cluster does not run", err)
	}
	if err := client.Down(t.Context()); err != nil {
		t.Errorf("a second time: %v", err)
	}
}

func TestLockAdmitsOneSupervisor(t *testing.T) {
	folder := t.TempDir()
	unlock, err := Lock(folder)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(folder); err == nil || !strings.Contains(err.Error(), "running already") {
		t.Errorf("a second supervisor: error %v", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	if unlock, err = Lock(folder); err != nil {
		t.Fatalf("after the first one: %v", err)
	}
	if err := unlock(); err != nil {
		t.Error(err)
	}
}

func TestReadStatusAfterTheSupervisor(t *testing.T) {
	started := time.Now()
	program := ProgramStatus{Name: "etcd", State: StateReady, PID: 7, StartTime: &started, Log: "/log"}
	died := ProgramStatus{Name: "etcd", State: StateDied, Log: "/log"}
	tests := map[string]struct {
		phase   Phase
		want    Phase
		program ProgramStatus
	}{
		"killed while it ran":     {PhaseReady, PhaseLost, died},
		"killed while it started": {PhaseStarting, PhaseLost, died},
		"stopped":                 {PhaseStopped, PhaseStopped, program},
		"failed":                  {PhaseFailed, PhaseFailed, program},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			if err := WriteStatus(Status{Folder: folder, Phase: test.phase, PID: 42, Programs: []ProgramStatus{program}}); err != nil {
				t.Fatal(err)
			}
			s, err := NewClient(folder).Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if s.Phase != test.want || (test.want == PhaseLost) != strings.Contains(s.Message, "supervisor (pid 42) is gone") {
				t.Errorf("phase %s, message %q; want %s", s.Phase, s.Message, test.want)
			}
			if diff := cmp.Diff([]ProgramStatus{test.program}, s.Programs); diff != "" {
				t.Errorf("programs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStatusOfNoCluster(t *testing.T) {
	if _, err := NewClient(t.TempDir()).Status(t.Context()); !errors.Is(err, ErrNoCluster) {
		t.Errorf("error %v, want %v", err, ErrNoCluster)
	}
}

func TestWriteTable(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	before := func(d time.Duration) *time.Time { then := now.Add(-d); return &then }
	tests := map[string]struct {
		status Status
		want   string
	}{
		"ready": {
			Status{Name: "demo", Folder: "/c/demo", Phase: PhaseReady, PID: 11, StartTime: now.Add(-90 * time.Second), Programs: []ProgramStatus{
				{Name: "etcd", State: StateReady, PID: 12, StartTime: before(80 * time.Second), Port: 20001, Log: "/c/demo/logs/etcd.log"},
				{Name: "velero", State: StateStopped, Port: 20002, Log: "/c/demo/logs/velero.log"},
				{Name: "backstay", State: StateDied, Message: "exit status 2", Log: "/c/demo/logs/backstay.log"},
			}},
			"Cluster demo: Ready, up 1m30s, supervisor 11\n" +
				"Folder: /c/demo\n\n" +
				"PROGRAM   STATE                 PID  UPTIME  PORT   LOG\n" +
				"etcd      Ready                 12   1m20s   20001  /c/demo/logs/etcd.log\n" +
				"velero    Stopped               -    -       20002  /c/demo/logs/velero.log\n" +
				"backstay  Died (exit status 2)  -    -       -      /c/demo/logs/backstay.log\n",
		},
		"failed": {
			Status{Name: "demo", Folder: "/c/demo", Phase: PhaseFailed, Message: "etcd died (exit status 1)."},
			"Cluster demo: Failed\nFolder: /c/demo\n\netcd died (exit status 1).\n\nPROGRAM  STATE  PID  UPTIME  PORT  LOG\n",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			if err := WriteTable(&out, test.status, now); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, out.String()); diff != "" {
				t.Errorf("table (-want +got):\n%s", diff)
			}
		})
	}
}
