// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"time"

	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/status"
	"github.com/backstay-dr/backstay/internal/workload"
)

// explainAfter is how long a hold lasts before the workload itself says why: a quick one is over before anybody reads it, and
// costs no write.
const explainAfter = 5 * time.Second

// Explanation is why a workload is held, for whoever looks at the workload and at nothing else.
type Explanation struct {
	Workload workload.View
	Text     string
}

// unexplained are the explanations to write on workloads that are held, once for each reason: the event that said so expires. It
// returns when there will be others.
func (out *Decision) unexplained(f *facts.Facts, book *records.Book) (explanations []Explanation, until time.Time) {
	for _, m := range f.Sorted {
		if !m.Held() || !m.Selected || !m.Driver || out.writes(m) {
			continue
		}
		text, since := status.WhyHeld(f, book, m)
		if at := since.Add(explainAfter); f.Now.Before(at) {
			until = f.Sooner(until, at)
			continue
		}
		if text != m.HeldReason {
			explanations = append(explanations, Explanation{m.View, text})
		}
	}
	return explanations, until
}
