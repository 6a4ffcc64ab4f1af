// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

func TestDefaults(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ text, want string }{
		"a plan with nothing but its workloads": {
			text: "{apiVersion: dr.backstay.dev/v1alpha1, kind: DRPlan, metadata: {name: a}, spec: {workloads: {matchLabels: {a: b}}}}",
			want: `
versionPolicy: Exact
workloads: {matchLabels: {a: b}}
gate: {mode: Hold, deadlineSeconds: 3600, onDeadline: Hold, backupAttempts: 3}
backup: {retentionSeconds: 2592000, volumes: Auto}
objectives: {recoveryPointSeconds: 86400, recoveryTimeSeconds: 1800}
releaseHistoryLimit: 20
`,
		},
		"a plan with a part of each": {
			text: `
apiVersion: dr.backstay.dev/v1alpha1
kind: DRPlan
metadata: {name: b}
spec: {workloads: {matchLabels: {a: b}}, gate: {mode: Disabled}, backup: {volumes: None}, objectives: {recoveryPointSeconds: 60}}
`,
			want: `
versionPolicy: Exact
workloads: {matchLabels: {a: b}}
gate: {mode: Disabled, deadlineSeconds: 3600, onDeadline: Hold, backupAttempts: 3}
backup: {retentionSeconds: 2592000, volumes: None}
objectives: {recoveryPointSeconds: 60, recoveryTimeSeconds: 1800}
releaseHistoryLimit: 20
`,
		},
		"a release": {text: release, want: "{plan: shop, version: 1.5.0, intent: Record}"},
	}
	namespace := plane.Namespace(t)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			object := parse(t, namespace, test.text)
			if err := create(t, object); err != nil {
				t.Fatal(err)
			}
			var want any
			if err := yaml.Unmarshal([]byte(test.want), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(normalize(want), object.Object["spec"]); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
