// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// (j) The samples apply as they are, and work.
func TestSamplesApplyAndWork(t *testing.T) {
	t.Parallel()
	a := newNamespace(t, shared)
	a.dev.run("apply", "-k", "config/samples")
	a.await("the plan is ready", func() error { return a.planSays(v1alpha1.ConditionReady, v1alpha1.ReasonReconciled) })
	a.await("the gate is proven", func() error { return a.planSays(v1alpha1.ConditionGated, v1alpha1.ReasonProbeHeld) })
	a.await("the release that is about to roll out is backed up", func() error {
		return a.releaseSays("1.5.0", v1alpha1.ConditionBackedUp, v1alpha1.ReasonBackupCompleted)
	})
	a.await("the release that was built is recorded", func() error {
		return a.releaseSays("1.6.0", v1alpha1.ConditionReady, v1alpha1.ReasonRecorded)
	})
	a.await("nothing drifted", func() error { return a.planSays(v1alpha1.ConditionDrifted, v1alpha1.ReasonInSync) })
}

// (k) The story of a release, as whoever only runs kubectl get reads it.
func TestPromise3_DriftShowsInKubectlGet(t *testing.T) {
	t.Parallel()
	a := newApp(t, shared, "api", "web")
	a.shows(v1alpha1.ReasonInSync, "drplans",
		"NAME PLANNED RUNNING PROTECTED PROVEN DRIFT BACKUP-AGE AGE",
		"shop 1.4.2 1.4.2 - - InSync - *")

	before := a.look("api", "web")
	a.dev.feed(manifest(deployment("api", "1.5.0"), deployment("web", "1.5.0")), "apply", "-f", "-")
	a.awaitStarted(before)
	a.awaitOutcome("1.5.0", v1alpha1.OutcomeRolledOut)
	a.shows(v1alpha1.ReasonVersionBehind, "drplans",
		"NAME PLANNED RUNNING PROTECTED PROVEN DRIFT BACKUP-AGE AGE",
		"shop 1.4.2 1.5.0 1.4.2 - VersionBehind * *")
	a.shows(v1alpha1.ReasonVersionBehind, "appreleases",
		"NAME PLAN VERSION PREVIOUS BACKUP STATUS AGE",
		"shop-1.5.0 shop 1.5.0 1.4.2 Completed RolledOut *")

	a.dev.run("patch", "drplan", planName, "--type=merge", "--patch", `{"spec":{"version":"1.6.0"}}`)
	a.shows(v1alpha1.ReasonVersionAhead, "drplans",
		"NAME PLANNED RUNNING PROTECTED PROVEN DRIFT BACKUP-AGE AGE",
		"shop 1.6.0 1.5.0 1.4.2 - VersionAhead * *")

	before = a.look("web")
	a.setImage("web", "1.6.0")
	a.awaitStarted(before)
	a.shows(v1alpha1.ReasonMixedVersions, "drplans",
		"NAME PLANNED RUNNING PROTECTED PROVEN DRIFT BACKUP-AGE AGE",
		"shop 1.6.0 1.5.0,1.6.0 1.5.0 - MixedVersions * *")
}

// shows waits until the plan tells of a drift, and compares the table that kubectl prints: cells that are empty as "-",
// times as "*".
func (a *app) shows(drift, kind string, want ...string) {
	a.t.Helper()
	a.await("the plan is "+drift, func() error { return a.planSays(v1alpha1.ConditionDrifted, drift) })
	if diff := cmp.Diff(want, cells(a.dev.run("get", kind))); diff != "" {
		a.t.Errorf("kubectl get %s (-want +got):\n%s", kind, diff)
	}
}

var age = regexp.MustCompile(`^(\d+[smhd])+$`)

// cells reads a table by the columns of its header.
func cells(table string) []string {
	lines := strings.Split(strings.TrimRight(table, "\n"), "\n")
	columns := regexp.MustCompile(`\S+\s*`).FindAllStringIndex(lines[0], -1)
	var out []string
	for _, line := range lines {
		var row []string
		for n, column := range columns {
			end := column[1]
			if n == len(columns)-1 {
				end = len(line)
			}
			cell := strings.TrimSpace(line[min(column[0], len(line)):min(end, len(line))])
			switch {
			case cell == "":
				cell = "-"
			case age.MatchString(cell):
				cell = "*"
			}
			row = append(row, cell)
		}
		out = append(out, strings.Join(row, " "))
	}
	return out
}
