// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/backstay-dr/backstay/api/v1alpha1"
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

// explain writes on the workloads that are held why they are, once for each reason: the event that said so expires.
func (d *decider) explain() {
	for _, m := range d.sorted {
		if !m.Held() || !m.Selected || !m.Driver || d.isWritten(m) {
			continue
		}
		text, since := d.whyHeld(m)
		if at := since.Add(explainAfter); d.in.Now.Before(at) {
			d.wake(at)
			continue
		}
		if text != m.HeldReason {
			d.out.Explain = append(d.out.Explain, Explanation{m.View, text})
		}
	}
}

// isWritten reports whether this decision writes on a workload already.
func (d *decider) isWritten(m *Member) bool {
	is := func(v workload.View) bool { return v.UID == m.UID }
	return slices.ContainsFunc(d.out.Starts, func(s Start) bool { return is(s.Workload) }) ||
		slices.ContainsFunc(d.out.Clean, is) || slices.ContainsFunc(d.out.Remark, is)
}

// whyHeld is why a workload is held, in the words of its release, and since when.
func (d *decider) whyHeld(m *Member) (text string, since time.Time) {
	reason, release := v1alpha1.ReasonNotRecorded, ""
	since = d.pendingSince(m).Time
	ro, rec := d.heldRecord(m)
	switch {
	case d.restored(m):
		reason, since = v1alpha1.ReasonRestored, m.Created.Time
	case rec != nil && waiting(rec) != nil:
		reason, release, since = v1alpha1.ReasonBackupPending, ro.of.Name, waiting(rec).Time
		if ready := meta.FindStatusCondition(ro.of.status.Conditions, v1alpha1.ConditionReady); ready != nil {
			reason = ready.Reason
		}
	}
	parts := []string{"reason=" + reason}
	if release != "" {
		parts = append(parts, "release="+release)
	}
	return strings.Join(append(parts, fmt.Sprintf("since=%s", since.UTC().Format(stamp))), " "), since
}
