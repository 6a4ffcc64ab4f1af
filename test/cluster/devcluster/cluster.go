// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package devcluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"k8s.io/client-go/rest"

	"github.com/backstay-dr/backstay/test/cluster/internal/control"
	"github.com/backstay-dr/backstay/test/cluster/internal/pki"
	"github.com/backstay-dr/backstay/test/cluster/internal/ports"
	"github.com/backstay-dr/backstay/test/cluster/internal/supervise"
	"github.com/backstay-dr/backstay/test/cluster/internal/toolset"
)

// Status describes a cluster and its programs.
type Status = control.Status

// ProgramStatus describes one program of a cluster.
type ProgramStatus = control.ProgramStatus

// errDown is why a cluster ends that was asked to.
var errDown = errors.New("the cluster is going down")

// Cluster is a running cluster, supervised by the process that started it: when that process ends, however
// it does, all programs of the cluster end with it.
type Cluster struct {
	options Options
	bins    map[string]string
	started time.Time

	unlock      func() error
	runner      *supervise.Runner
	reservation *ports.Reservation
	authority   *pki.Authority
	admin       *rest.Config
	probe       *http.Client // trusts the cluster's authority
	server      *http.Server

	// Set while the parts come up, read by the parts that come after them.
	etcdURL, apiServerURL, storageURL string
	accessKey, secretKey              string

	life context.Context // ends, with the reason as its cause, when the cluster must stop
	stop context.CancelCauseFunc
	done chan struct{} // closed when everything has stopped

	mu      sync.Mutex
	phase   control.Phase
	message string
	members []*member // in the order in which they were started
}

// Start builds what is missing, starts a cluster and returns when all of it is ready. The context bounds
// the start only. If it fails, nothing is left running.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	bins, err := o.build(ctx)
	if err != nil {
		return nil, err
	}
	c, err := newCluster(o, bins)
	if err != nil {
		return nil, err
	}
	if err := c.bringUp(ctx); err != nil {
		c.stop(err)
		c.end()
		return nil, context.Cause(c.life)
	}
	c.setPhase(control.PhaseReady, "")
	c.say("ready after %s", time.Since(c.started).Round(100*time.Millisecond))
	go func() {
		<-c.life.Done()
		c.end()
	}()
	return c, nil
}

// newCluster prepares the cluster's folder and everything but its programs.
func newCluster(o Options, bins map[string]string) (_ *Cluster, err error) {
	if err := os.MkdirAll(o.Folder, 0o700); err != nil {
		return nil, fmt.Errorf("cluster folder: %w", err)
	}
	c := &Cluster{options: o, bins: bins, started: time.Now(), phase: control.PhaseStarting, done: make(chan struct{})}
	c.life, c.stop = context.WithCancelCause(context.Background())
	if c.unlock, err = control.Lock(o.Folder); err != nil {
		return nil, err
	}
	for _, prepare := range []func() error{c.prepareFolder, c.prepareIdentities, c.reservePorts, c.startRunner, c.serveControl} {
		if err := prepare(); err != nil {
			c.stop(err)
			c.end()
			return nil, err
		}
	}
	return c, nil
}

// prepareFolder removes what an earlier cluster of this name left: its logs, and if it was killed its data.
func (c *Cluster) prepareFolder() error {
	if err := removeData(c.options.Folder, "logs"); err != nil {
		return err
	}
	for _, name := range []string{"logs", "home", "tmp"} {
		if err := os.MkdirAll(c.path(name), 0o700); err != nil {
			return fmt.Errorf("cluster folder: %w", err)
		}
	}
	return nil
}

// dataNames are what a cluster leaves in its folder besides logs and status. Keys and passwords are in
// them.
var dataNames = []string{"etcd", "home", "identities", "kubeconfig", "pki", "storage", "tmp", "velero"}

func removeData(folder string, more ...string) error {
	var errs []error
	for _, name := range append(more, dataNames...) {
		errs = append(errs, os.RemoveAll(filepath.Join(folder, name)))
	}
	return errors.Join(errs...)
}

func (c *Cluster) reservePorts() error {
	cache, err := toolset.CacheDir()
	if err != nil {
		return err
	}
	c.reservation, err = ports.NewReservation(filepath.Join(cache, "ports"))
	return err
}

func (c *Cluster) startRunner() (err error) {
	if c.runner, err = supervise.NewRunner(); err != nil {
		return err
	}
	go func() {
		<-c.runner.GuardDied()
		c.stop(errors.New("the guard process, which ends programs whose supervisor is killed, is gone"))
	}()
	return nil
}

func (c *Cluster) serveControl() error {
	listener, err := control.Listen(c.options.Folder)
	if err != nil {
		return err
	}
	c.server = control.NewServer(c)
	go func() {
		if err := c.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			c.stop(fmt.Errorf("control socket: %w", err))
		}
	}()
	return nil
}

// Down stops the cluster and returns when nothing of it is left but its logs.
func (c *Cluster) Down() {
	c.RequestDown()
	<-c.done
}

// RequestDown begins to stop the cluster and returns at once.
func (c *Cluster) RequestDown() { c.stop(errDown) }

// Done is closed when the cluster has stopped, for whatever reason: see Err.
func (c *Cluster) Done() <-chan struct{} { return c.done }

// Err tells why the cluster stopped. It is nil while it runs, and after it was asked to stop.
func (c *Cluster) Err() error {
	if err := context.Cause(c.life); err != nil && !errors.Is(err, errDown) {
		return err
	}
	return nil
}

// end stops everything and records how it came to that.
func (c *Cluster) end() {
	c.stopMembers()
	if c.server != nil {
		_ = c.server.Close() // It reports only that connections were cut.
	}
	if c.runner != nil {
		c.runner.Close()
	}
	if c.reservation != nil {
		c.complain(c.reservation.Close())
	}
	c.complain(removeData(c.options.Folder))
	if err := c.Err(); err != nil {
		c.setPhase(control.PhaseFailed, err.Error())
	} else {
		c.setPhase(control.PhaseStopped, "")
	}
	c.complain(c.unlock())
	close(c.done)
}

func (c *Cluster) path(elements ...string) string {
	return filepath.Join(append([]string{c.options.Folder}, elements...)...)
}

func (c *Cluster) say(format string, args ...any) {
	fmt.Fprintf(c.options.Output, c.options.Name+": "+format+"\n", args...)
}

// complain reports an error that must not keep the cluster from stopping.
func (c *Cluster) complain(err error) {
	if err != nil {
		c.say("%v", err)
	}
}

func (c *Cluster) setPhase(phase control.Phase, message string) {
	c.mu.Lock()
	c.phase, c.message = phase, message
	c.mu.Unlock()
	c.record()
}

// Down stops the cluster of a name, whoever supervises it, and deletes what a killed one has left. The
// folder is as in Options. A cluster that does not run is no error.
func Down(ctx context.Context, name, folder string) error {
	folder, err := Folder(name, folder)
	if err != nil {
		return err
	}
	if err := control.NewClient(folder).Down(ctx); err != nil {
		return err
	}
	if _, err := os.Stat(folder); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return removeData(folder)
}
