// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package records

import (
	"encoding/json"
	"slices"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// MaxStatus is how large a status may be, in bytes of JSON, with room for what comes with it: etcd refuses an object of
// more than 1.5 MiB, and every status is copied to every watcher.
const MaxStatus = 240 << 10

// SurelyFits is how many records of workloads a status can hold whatever is in them: they need not be measured.
const SurelyFits = v1alpha1.MaxWorkloads

// maxShortText is how much of a text is kept of each override where that is what makes a status too large.
const maxShortText = 64

// Fit keeps a status within its bound: the oldest rollouts go first, of those that ended.
func Fit(s *v1alpha1.AppReleaseStatus) {
	records := 0
	for i := range s.Rollouts {
		records += len(s.Rollouts[i].Workloads)
	}
	if records <= SurelyFits && !hasOverrides(s) {
		return
	}
	for Size(s) > MaxStatus && len(s.Rollouts) > 1 {
		forgetOne(s)
	}
	if Size(s) > MaxStatus {
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

// Size is how large a status is, in bytes of JSON.
func Size(status any) int {
	raw, err := json.Marshal(status)
	if err != nil {
		panic(err) // a status is made to be JSON
	}
	return len(raw)
}

// MaxRollouts is how many rollouts a release remembers: the bound of its status.
const MaxRollouts = 10

// forgetOne forgets the oldest rollout that ended, or the oldest of all but the newest.
func forgetOne(s *v1alpha1.AppReleaseStatus) {
	oldest := len(s.Rollouts) - 1
	for i := oldest; i > 0; i-- {
		if !IsOpen(&s.Rollouts[i]) {
			oldest = i
			break
		}
	}
	s.Rollouts = slices.Delete(s.Rollouts, oldest, oldest+1)
}
