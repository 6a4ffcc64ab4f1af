// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/backstay-dr/backstay/test/integration/harness"
)

// told are a plan and a release with a status as a controller would have written it a while ago.
func told(t *testing.T) *harness.Kubectl {
	t.Helper()
	namespace := plane.Namespace(t)
	ago := func(d time.Duration) string { return time.Now().Add(-d).UTC().Format(time.RFC3339) }
	at := "lastTransitionTime: '" + ago(time.Hour) + "'"
	write(t, parse(t, namespace, plan), `
conditions:
- {type: Ready, status: "True", reason: Reconciled, message: nothing needs a person, `+at+`}
- {type: Gated, status: "True", reason: ProbeHeld, message: m, `+at+`}
- {type: Drifted, status: "True", reason: VersionBehind, message: m, `+at+`}
versions: {planned: 1.4.2, running: 1.5.0, protected: 1.4.9}
heldCount: 2
protectingBackup: {name: b, version: 1.4.9, startTime: '`+ago(3*time.Hour)+`', completionTime: '`+ago(3*time.Hour)+`'}
`)
	write(t, parse(t, namespace, release), `
conditions:
- {type: Ready, status: "False", reason: BackupInProgress, message: 12 of 30 items, `+at+`}
rollouts:
- number: 2
  cause: Held
  previousVersion: 1.4.9
  openedTime: '`+ago(5*time.Minute+time.Second)+`'
  backup: {name: shop-1.5.0-2, attempt: 1, phase: InProgress}
`)
	return plane.Kubectl(t, plane.Admin, namespace)
}

func write(t *testing.T, object *unstructured.Unstructured, status string) {
	t.Helper()
	if err := create(t, object); err != nil {
		t.Fatal(err)
	}
	var parsed any
	if err := yaml.Unmarshal([]byte(status), &parsed); err != nil {
		t.Fatal(err)
	}
	object.Object["status"] = normalize(parsed)
	if err := plane.Client.Status().Update(t.Context(), object); err != nil {
		t.Fatal(err)
	}
}

// cells are the columns of kubectl's table, which two blanks or more part.
func cells(line string) string {
	return strings.Join(regexp.MustCompile(` {2,}`).Split(strings.TrimSpace(line), -1), "|")
}

func TestKubectlGet(t *testing.T) {
	t.Parallel()
	k := told(t)
	tests := map[string]struct {
		args []string
		want []string
	}{
		"drplans": {
			[]string{"get", "drplans"},
			[]string{"NAME|PLANNED|RUNNING|PROTECTED|PROVEN|DRIFT|BACKUP-AGE|AGE", `shop|1\.4\.2|1\.5\.0|1\.4\.9|VersionBehind|3h|\d+s`},
		},
		"drplans wide": {
			[]string{"get", "drplans", "-o", "wide"},
			[]string{
				"NAME|PLANNED|RUNNING|PROTECTED|PROVEN|DRIFT|BACKUP-AGE|AGE|GATED|HELD|MESSAGE",
				`shop|1\.4\.2|1\.5\.0|1\.4\.9|VersionBehind|3h|\d+s|True|2|nothing needs a person`,
			},
		},
		"appreleases": {
			[]string{"get", "appreleases"},
			[]string{"NAME|PLAN|VERSION|PREVIOUS|BACKUP|STATUS|AGE", `shop-1\.5\.0|shop|1\.5\.0|1\.4\.9|InProgress|BackupInProgress|5m\d+s`},
		},
		"appreleases wide": {
			[]string{"get", "appreleases", "-o", "wide"},
			[]string{
				"NAME|PLAN|VERSION|PREVIOUS|BACKUP|STATUS|AGE|BACKUP-NAME|CREATED-BY|MESSAGE",
				`shop-1\.5\.0|shop|1\.5\.0|1\.4\.9|InProgress|BackupInProgress|5m\d+s|shop-1\.5\.0-2|12 of 30 items`,
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			lines := strings.Split(strings.TrimSpace(k.Run(test.args...).Stdout), "\n")
			if len(lines) != 2 {
				t.Fatalf("%d lines: %q", len(lines), lines)
			}
			if got := cells(lines[0]); got != test.want[0] {
				t.Errorf("header\n got %s\nwant %s", got, test.want[0])
			}
			// PROVEN is empty: nothing was ever proven.
			want := "^" + strings.ReplaceAll(test.want[1], "|", `\|`) + "$"
			if got := cells(lines[1]); !regexp.MustCompile(want).MatchString(got) {
				t.Errorf("line\n got %s\nwant %s", got, want)
			}
		})
	}
}

func TestKubectlShortNamesAndCategory(t *testing.T) {
	t.Parallel()
	k := told(t)
	for args, want := range map[string]string{
		"drp":      "drplan.dr.backstay.dev/shop\n",
		"drplan":   "drplan.dr.backstay.dev/shop\n",
		"apprel":   "apprelease.dr.backstay.dev/shop-1.5.0\n",
		"backstay": "apprelease.dr.backstay.dev/shop-1.5.0\ndrplan.dr.backstay.dev/shop\n",
	} {
		if got := k.Run("get", args, "-o", "name").Stdout; got != want {
			t.Errorf("kubectl get %s: %q, want %q", args, got, want)
		}
	}
}

// What a person asks first must be answered on the first screen, in sentences.
func TestKubectlExplain(t *testing.T) {
	t.Parallel()
	k := plane.Kubectl(t, plane.Admin, plane.Namespace(t))
	tests := map[string][]string{
		"drplan": {
			"DRPlan is how one application, the workloads of one namespace that carry certain labels,",
			"spec\t<Object> -required-", "spec is how the application is to be recovered.", "status is what was observed.",
		},
		"drplan.spec": {
			"workloads\t<Object> -required-", "versionPolicy\t<string>", "enum: Exact, Patch, Minor, Major",
			"Absent: the plan follows the newest proven version.",
		},
		"drplan.spec.gate": {
			"mode is Hold (the default: a rollout waits until a backup has Completed), Observe",
			"enum: Hold, Observe, Disabled", "deadlineSeconds\t<integer>", "60 (a minute) to 604800 (a week), 3600 (an hour) by default.",
			"onDeadline\t<string>", "enum: Hold, Release", "backupAttempts\t<integer>", "1 to 10, 3 by default.",
		},
		"drplan.spec.backup":               {"retentionSeconds is how long Velero keeps a backup, in seconds", "allow.dr.backstay.dev/<namespace>=true"},
		"drplan.spec.objectives":           {"recoveryPointSeconds is how old the newest protecting backup may become, in seconds."},
		"drplan.status.versions":           {"planned is what the plan was written for.", "proven is the version whose backup last passed a restore drill."},
		"apprelease":                       {"AppRelease is one version of one application and everything known of it.", "It is immutable but for its intent."},
		"apprelease.spec":                  {"plan\t<string> -required-", "version\t<string> -required-", "enum: Deploy, Record", "in the same namespace"},
		"apprelease.status.rollouts":       {"enum: Ahead, Held, Observed, Escaped", "enum: RolledOut, Superseded, Reverted, Abandoned"},
		"apprelease.spec.artifacts.digest": {"A workload that names the image by digest is matched by it first."},
	}
	for path, want := range tests {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			got := strings.Join(strings.Fields(k.Run("explain", path).Stdout), " ")
			for _, text := range want {
				if !strings.Contains(got, strings.Join(strings.Fields(text), " ")) {
					t.Errorf("lacks %q:\n%s", text, got)
				}
			}
		})
	}
}

// kubectl keeps the line breaks of a description and breaks at 80 columns besides: comments wider than 76 come out ragged.
func TestKubectlExplainIsNotRagged(t *testing.T) {
	t.Parallel()
	k := plane.Kubectl(t, plane.Admin, plane.Namespace(t))
	for _, path := range []string{
		"drplan.spec", "drplan.spec.gate", "drplan.spec.backup", "drplan.spec.objectives", "drplan.spec.workloads",
		"drplan.status", "apprelease.spec", "apprelease.spec.source", "apprelease.status",
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			lines := strings.Split(k.Run("explain", path).Stdout, "\n")
			for i := range lines[:len(lines)-1] {
				next := strings.Fields(lines[i+1])
				if strings.HasPrefix(lines[i], "    ") && strings.HasPrefix(lines[i+1], "    ") && len(next) > 0 &&
					strings.TrimSpace(lines[i]) != "" && len(lines[i])+1+len(next[0]) <= 80 {
					t.Errorf("there is room for the next line after:\n%s\n%s", lines[i], lines[i+1])
				}
			}
		})
	}
}

// The table of bad inputs checks the API server's words. This is what a person sees of them.
func TestKubectlShowsTheMessageOfARefusal(t *testing.T) {
	t.Parallel()
	k := plane.Kubectl(t, plane.Admin, plane.Namespace(t))
	bad := strings.Replace(plan, "version: 1.4.2", "version: stable\n  versionPolicy: Minor", 1)
	result := k.Try(bad, "apply", "-f", "-")
	const want = `The DRPlan "shop" is invalid: spec.version: Invalid value: version must be a semantic version such as 1.4.2 when versionPolicy is Patch, Minor or Major`
	if result.Code != 1 || strings.TrimSpace(result.Stderr) != want {
		t.Errorf("code %d:\n%s", result.Code, result.Stderr)
	}
	result = k.Try(strings.Replace(plan, "workloads:", "hooks: []\n  workloads:", 1), "create", "-f", "-")
	if result.Code != 1 || !strings.Contains(result.Stderr, `strict decoding error: unknown field "spec.hooks"`) {
		t.Errorf("code %d:\n%s", result.Code, result.Stderr)
	}
}
