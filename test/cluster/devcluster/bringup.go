// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package devcluster

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"
)

// component is a part of the cluster itself.
type component struct {
	name    string
	program func(context.Context) (Program, error) // prepares the start and describes the program
}

func (c *Cluster) components() []component {
	return []component{
		{Etcd, c.etcd}, {APIServer, c.apiServer}, {ControllerManager, c.controllerManager}, {Scheduler, c.scheduler},
		{Kwok, c.kwok}, {ObjectStorage, c.objectStorage}, {Velero, c.velero},
	}
}

// bringUp starts all parts, each as soon as what it needs is ready.
func (c *Cluster) bringUp(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	ready := map[string]chan struct{}{}
	var parts []component
	for _, part := range c.components() {
		if c.options.runs(part.name) {
			parts = append(parts, part)
			ready[part.name] = make(chan struct{})
		}
	}
	for _, part := range parts {
		group.Go(func() error {
			for _, need := range needs[part.name] {
				select {
				case <-ready[need]:
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			}
			if err := c.bringUpOne(ctx, part); err != nil {
				return err
			}
			close(ready[part.name])
			return nil
		})
	}
	return group.Wait()
}

func (c *Cluster) bringUpOne(ctx context.Context, part component) error {
	program, err := part.program(ctx)
	if err != nil {
		return fmt.Errorf("preparing %s: %w", part.name, err)
	}
	program.Name = part.name
	program.Path = c.bins[part.name]
	program.Args = append(program.Args, c.options.Args[part.name]...)
	m := newMember(program, true)
	c.mu.Lock()
	c.members = append(c.members, m)
	c.mu.Unlock()
	if err := m.lock(ctx); err != nil {
		return err
	}
	defer m.unlock()
	return c.launch(ctx, m)
}

// takePorts returns as many reserved ports as it is given places for.
func (c *Cluster) takePorts(places ...*int) error {
	var errs []error
	for _, place := range places {
		port, err := c.reservation.Take()
		errs = append(errs, err)
		*place = port
	}
	return errors.Join(errs...)
}
