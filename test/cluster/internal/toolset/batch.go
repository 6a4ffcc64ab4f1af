// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package toolset

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"
)

// batches groups neighbours of the same module, which one go command builds together.
func batches(tools []tool) [][]tool {
	var all [][]tool
	for _, t := range tools {
		last := len(all) - 1
		if last >= 0 && all[last][0].module == t.module && (all[last][0].pkg == "") == (t.pkg == "") {
			all[last] = append(all[last], t)
			continue
		}
		all = append(all, []tool{t})
	}
	return all
}

// queue hands out batches in order, but never two of the same module at once: they share most packages,
// and would compile them twice.
type queue struct {
	mu      sync.Mutex
	changed *sync.Cond
	waiting [][]tool
	busy    map[string]bool
}

func newQueue(all [][]tool) *queue {
	q := &queue{waiting: all, busy: map[string]bool{}}
	q.changed = sync.NewCond(&q.mu)
	return q
}

// next blocks until a batch can begin, and returns nil when none is left.
func (q *queue) next() []tool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.waiting) > 0 {
		for i, batch := range q.waiting {
			if q.busy[batch[0].module] {
				continue
			}
			q.waiting = append(append([][]tool{}, q.waiting[:i]...), q.waiting[i+1:]...)
			q.busy[batch[0].module] = true
			return batch
		}
		q.changed.Wait()
	}
	return nil
}

func (q *queue) finished(module string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.busy, module)
	q.changed.Broadcast()
}

// runBatches runs all batches, a few at once, and stops at the first error.
func runBatches(ctx context.Context, atOnce int, all [][]tool, run func(context.Context, []tool) error) error {
	q := newQueue(all)
	group, ctx := errgroup.WithContext(ctx)
	for range atOnce {
		group.Go(func() error {
			for batch := q.next(); batch != nil; batch = q.next() {
				name := batch[0].module
				err := ctx.Err()
				if err == nil {
					err = run(ctx, batch)
				}
				q.finished(name)
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}
