// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"testing"
	"time"

	"github.com/backstay-dr/backstay/test/gen"
)

// The API server tells times in whole seconds. A backup that is created and Completed, the start that it allowed, and the
// next hold may all be of one second: what started then started after the backup. Where the next is another template of the
// same version, which may have begun in the same hold, nothing else tells.
func TestPromise1_StartInTheSecondOfItsBackupVoidsIt(t *testing.T) {
	s := shopSim(t, "web")
	s.velero.pickUp, s.velero.duration = 0, 0
	s.set("web", "1.5.0")
	s.settle()
	for range 60 {
		if len(s.backups) > 0 {
			break
		}
		s.now = s.now.Add(time.Second)
		s.settle()
	}
	s.mustHaveBackups(1)
	s.backUp() // it begins
	s.backUp() // and ends
	s.settle()
	s.roll()
	s.mustRun("web", "1.5.0")
	s.set("web", "1.5.0", gen.Config("REV", "2"))
	s.settle()
	s.mustHold("web")
	s.pass(aWhile)
	s.mustRun("web", "1.5.0")
	s.mustHaveBackups(2)
	s.mustRest()
}
