// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"encoding/json"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

const (
	// maxStatus is how large a status may be, in bytes of JSON, with room for what comes with it: etcd refuses an object of
	// more than 1.5 MiB, and every status is copied to every watcher.
	maxStatus = 240 << 10

	// surelyFits is how many records of workloads a status can hold whatever is in them: they need not be measured.
	surelyFits = v1alpha1.MaxWorkloads

	// maxShortText is how much of a text is kept of each override where that is what makes a status too large.
	maxShortText = 64
)

// fitRelease keeps a status within its bound: the oldest rollouts go first, of those that ended.
func fitRelease(s *v1alpha1.AppReleaseStatus) {
	records := 0
	for i := range s.Rollouts {
		records += len(s.Rollouts[i].Workloads)
	}
	if records <= surelyFits && !hasOverrides(s) {
		return
	}
	for size(s) > maxStatus && len(s.Rollouts) > 1 {
		forgetOne(s)
	}
	if size(s) > maxStatus {
		shortenOverrides(s)
	}
}

func hasOverrides(s *v1alpha1.AppReleaseStatus) bool {
	for i := range s.Rollouts {
		for j := range s.Rollouts[i].Workloads {
			if s.Rollouts[i].Workloads[j].Override != nil {
				return true
			}
		}
	}
	return false
}

func shortenOverrides(s *v1alpha1.AppReleaseStatus) {
	for i := range s.Rollouts {
		for j := range s.Rollouts[i].Workloads {
			if o := s.Rollouts[i].Workloads[j].Override; o != nil {
				o.User, o.Reason = shortened(o.User), shortened(o.Reason)
			}
		}
	}
}

func shortened(text string) string {
	runes := []rune(text)
	return string(runes[:min(len(runes), maxShortText)])
}

// fitPlan does so with the status of a plan: the workloads go first that it selected the longest ago, then revisions that
// workloads ran before.
func fitPlan(s *v1alpha1.DRPlanStatus) {
	if len(s.Held)+len(s.Workloads)+len(s.Departed) <= surelyFits {
		return
	}
	for size(s) > maxStatus && len(s.Departed) > 0 {
		s.Departed = s.Departed[1:]
	}
	for keep := maxOtherRevisions - 1; size(s) > maxStatus && keep >= 0; keep-- {
		for i := range s.Workloads {
			w := &s.Workloads[i]
			w.OtherRevisions = w.OtherRevisions[:min(len(w.OtherRevisions), keep)]
		}
	}
}

func size(status any) int {
	raw, err := json.Marshal(status)
	if err != nil {
		panic(err) // a status is made to be JSON
	}
	return len(raw)
}
