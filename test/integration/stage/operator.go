// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/backstay-dr/backstay/controllers"
	"github.com/backstay-dr/backstay/internal/gate"
)

// Operator is the operator in this process, under its own ServiceAccount and with the rights that it ships with.
type Operator struct {
	Manager ctrl.Manager

	// Traffic is everything that it asked of the API server.
	Traffic *Traffic

	// Metrics is what it registered.
	Metrics metrics.RegistererGatherer

	stop context.CancelFunc
	done chan error
}

// StartOperator starts the operator and waits until it has seen the cluster. It ends with the context, or by Stop.
func (s *Stage) StartOperator(ctx context.Context, change ...func(*ctrl.Options)) (*Operator, error) {
	op, err := s.NewOperator(ctx, change...)
	if err != nil {
		return nil, err
	}
	op.Start(ctx)
	if !op.Manager.GetCache().WaitForCacheSync(ctx) {
		return nil, fmt.Errorf("the operator does not start: %w", op.Stop())
	}
	return op, nil
}

// NewOperator assembles the operator, and does not start it.
func (s *Stage) NewOperator(ctx context.Context, change ...func(*ctrl.Options)) (*Operator, error) {
	cfg, err := s.Operator(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.awaitRights(ctx); err != nil {
		return nil, err
	}
	op := &Operator{Traffic: &Traffic{}, Metrics: prometheus.NewRegistry(), done: make(chan error, 1)}
	cfg = rest.CopyConfig(cfg)
	cfg.UserAgent = "backstay/test"
	cfg.Wrap(op.Traffic.Wrap)
	opts := controllers.Options{VeleroNamespace: VeleroNamespace, Workers: 4, Metrics: op.Metrics}
	yes := true
	opts.Manager.Controller.SkipNameValidation = &yes
	opts.Manager.Metrics.BindAddress = "0"
	for _, f := range change {
		f(&opts.Manager)
	}
	op.Manager, err = controllers.NewManager(ctx, cfg, opts)
	return op, err
}

// awaitRights waits until the API server's authorizer has heard of the roles in Velero's and in the operator's own
// namespace: a request that came before would be refused.
func (s *Stage) awaitRights(ctx context.Context) error {
	id := gate.DefaultIdentity()
	for _, attributes := range []authorizationv1.ResourceAttributes{
		{Namespace: VeleroNamespace, Verb: "watch", Group: "velero.io", Resource: "backups"},
		{Namespace: id.Namespace, Verb: "create", Group: "coordination.k8s.io", Resource: "leases"},
	} {
		allowed := func(ctx context.Context) (bool, error) {
			review := &authorizationv1.SubjectAccessReview{}
			review.Spec.User, review.Spec.ResourceAttributes = id.Username(), &attributes
			err := s.Live.Create(ctx, review)
			return review.Status.Allowed, err
		}
		if err := wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, 10*time.Second, true, allowed); err != nil {
			return fmt.Errorf("%s %s in %s: %w", attributes.Verb, attributes.Resource, attributes.Namespace, err)
		}
	}
	return nil
}

// Start starts it, once.
func (o *Operator) Start(ctx context.Context) {
	ctx, o.stop = context.WithCancel(ctx)
	go func() { o.done <- o.Manager.Start(ctx) }()
}

// Stop ends it, as SIGTERM would, and waits for that.
func (o *Operator) Stop() error {
	o.stop()
	select {
	case err := <-o.done:
		return err
	case <-time.After(30 * time.Second):
		return errors.New("the operator does not stop")
	}
}
