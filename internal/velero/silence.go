// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package velero

import (
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
)

const (
	// defaultValidation is how often Velero validates a storage location that does not say how often.
	defaultValidation = time.Minute

	// missedValidations is after how many of them that are missing Velero counts as silent, and leastSilence the least time
	// that takes: a restart, or a slow bucket, is no silence.
	missedValidations = 5
	leastSilence      = 10 * time.Minute
)

// Life is what storage locations tell of whether Velero runs: it validates each of them time and again.
type Life struct {
	// Last is when it last validated one of them; zero where that tells nothing: it never did, or was told not to.
	Last time.Time

	// Until is when it counts as silent if it validates none until then.
	Until time.Time
}

// LifeOf reads it from the storage locations.
func LifeOf(locations []velerov1.BackupStorageLocation) Life {
	var life Life
	for i := range locations {
		last, every := locations[i].Status.LastValidationTime, defaultValidation
		if asked := locations[i].Spec.ValidationFrequency; asked != nil {
			every = asked.Duration
		}
		if last == nil || every <= 0 {
			continue
		}
		if last.After(life.Last) {
			life.Last = last.Time
		}
		if until := last.Add(max(leastSilence, missedValidations*every)); until.After(life.Until) {
			life.Until = until
		}
	}
	return life
}

// Silent reports whether Velero seems not to run.
func (l Life) Silent(now time.Time) bool {
	return !l.Last.IsZero() && !now.Before(l.Until)
}
