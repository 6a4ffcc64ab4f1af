// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// repeat is a list of n entries, each with a number in place of #.
func repeat(n int, entry string) string {
	var all []string
	for i := range n {
		all = append(all, strings.ReplaceAll(entry, "#", string(rune('a'+i/26))+string(rune('a'+i%26))))
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// writeStatus sends a status as a controller does.
func writeStatus(t *testing.T, object *unstructured.Unstructured, status string) error {
	t.Helper()
	object = object.DeepCopy()
	var parsed any
	if err := yaml.Unmarshal([]byte(status), &parsed); err != nil {
		t.Fatal(err)
	}
	object.Object["status"] = normalize(parsed)
	return plane.Client.Status().Update(t.Context(), object, client.DryRunAll)
}

const condition = "{type: T#, status: 'True', reason: Because, message: m, lastTransitionTime: '2026-01-01T00:00:00Z'}"

func TestStatusOfADRPlanIsBounded(t *testing.T) {
	t.Parallel()
	object := parse(t, plane.Namespace(t), plan)
	if err := create(t, object); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct{ status, want string }{
		"too many conditions":         {"{conditions: " + repeat(17, condition) + "}", "status.conditions: Too many: 17: must have at most 16 items"},
		"a condition twice":           {"{conditions: " + repeat(2, strings.Replace(condition, "T#", "Ready", 1)) + "}", `status.conditions[1]: Duplicate value: {"type":"Ready"}`},
		"a condition without reason":  {"{conditions: [{type: Ready, status: 'True', message: m, lastTransitionTime: '2026-01-01T00:00:00Z'}]}", "status.conditions[0].reason: Required value"},
		"too many held":               {"{held: " + repeat(101, "{group: apps, kind: Deployment, name: w#}") + "}", "status.held: Too many: 101: must have at most 100 items"},
		"an unknown kind":             {"{held: [{kind: Pod, name: w}]}", `status.held[0].kind: Unsupported value: "Pod": supported values: "Deployment"`},
		"a long running version":      {"{versions: {running: " + long(513) + "}}", "status.versions.running: Too long: may not be more than 512"},
		"a backup without its times":  {"{protectingBackup: {name: b, version: '1'}}", "status.protectingBackup.startTime: Required value"},
		"a time that is none":         {"{lastStart: {version: '1', time: yesterday}}", "lastStart.time in body must be of type date-time"},
		"a version of an odd source":  {"{workloads: [{group: apps, kind: Deployment, name: w, versionSource: Guess}]}", `status.workloads[0].versionSource: Unsupported value: "Guess"`},
		"a workload twice":            {"{workloads: [{group: apps, kind: Deployment, name: w}, {group: apps, kind: Deployment, name: w}]}", "status.workloads[1]: Duplicate value"},
		"a long proof":                {"{gateProof: " + long(129) + "}", "status.gateProof: Too long: may not be more than 128"},
		"a generation before the one": {"{observedGeneration: -1}", "observedGeneration in body should be greater than or equal to 1"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refusedWith(t, writeStatus(t, object, test.status), test.want)
		})
	}
	full := "{observedGeneration: 1, conditions: " + repeat(16, condition) + ", held: " + repeat(100, "{group: apps, kind: Deployment, name: w#, reason: BackupInProgress}") +
		", heldCount: 100, workloads: " + repeat(100, "{group: apps, kind: Deployment, name: w#, templateHash: v1-0, versionSource: ImageTag}") +
		", versions: {planned: '1', running: " + long(512) + "}}"
	if err := writeStatus(t, object, full); err != nil {
		t.Errorf("a full status: %v", err)
	}
}

func TestStatusOfAnAppReleaseIsBounded(t *testing.T) {
	t.Parallel()
	object := parse(t, plane.Namespace(t), release)
	if err := create(t, object); err != nil {
		t.Fatal(err)
	}
	rollout := func(more string) string {
		return "{rollouts: [{number: 1, cause: Held, openedTime: '2026-01-01T00:00:00Z', " + more + "}]}"
	}
	tests := map[string]struct{ status, want string }{
		"too many rollouts": {
			"{rollouts: [" + strings.TrimSuffix(strings.Repeat("{number: 1, cause: Held, openedTime: '2026-01-01T00:00:00Z'},", 11), ",") + "]}",
			"status.rollouts: Too many: 11: must have at most 10 items",
		},
		"a rollout without a number": {"{rollouts: [{cause: Held, openedTime: '2026-01-01T00:00:00Z'}]}", "status.rollouts[0].number: Required value"},
		"rollout zero":               {"{rollouts: [{number: 0, cause: Held, openedTime: '2026-01-01T00:00:00Z'}]}", "rollouts[0].number in body should be greater than or equal to 1"},
		"an unknown cause":           {"{rollouts: [{number: 1, cause: Magic, openedTime: '2026-01-01T00:00:00Z'}]}", `status.rollouts[0].cause: Unsupported value: "Magic"`},
		"an unknown outcome":         {rollout("outcome: Failed"), `status.rollouts[0].outcome: Unsupported value: "Failed"`},
		"a backup without a name":    {rollout("backup: {attempt: 1}"), "status.rollouts[0].backup.name: Required value"},
		"attempt zero":               {rollout("backup: {name: b, attempt: 0}"), "rollouts[0].backup.attempt in body should be greater than or equal to 1"},
		"an override without reason": {rollout(overridden("user: u")), "status.rollouts[0].workloads[0].override.reason: Required value"},
		"an override's long reason":  {rollout(overridden("user: u, reason: " + long(257))), "status.rollouts[0].workloads[0].override.reason: Too long: may not be more than 256"},
		"too many workloads": {
			rollout("workloads: " + repeat(101, "{group: apps, kind: Deployment, name: w#, state: Held, templateHash: v1-0}")),
			"status.rollouts[0].workloads: Too many: 101: must have at most 100 items",
		},
		"an unknown state": {rollout("workloads: [{group: apps, kind: Deployment, name: w, state: Paused, templateHash: v1-0}]"), `status.rollouts[0].workloads[0].state: Unsupported value: "Paused"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refusedWith(t, writeStatus(t, object, test.status), test.want)
		})
	}
	// The longest override that the gate lets through fits.
	reason := strings.Repeat("ü", 256)
	if err := writeStatus(t, object, rollout(overridden("user: u, reason: "+reason))); err != nil {
		t.Errorf("a reason of 256 characters: %v", err)
	}
}

// overridden is a workload of a rollout, with what is recorded of its override.
func overridden(override string) string {
	return "workloads: [{group: apps, kind: Deployment, name: w, state: Admitted, templateHash: v1-0, override: {" + override + ", time: '2026-01-01T00:00:00Z'}}]"
}

// Statuses are written through the subresource only, and specs not by it.
func TestStatusIsASubresource(t *testing.T) {
	t.Parallel()
	namespace := plane.Namespace(t)
	for _, text := range []string{plan, release} {
		object := parse(t, namespace, text)
		with(t, object, "status.observedGeneration", "7")
		if err := create(t, object); err != nil {
			t.Fatal(err)
		}
		if status, found := object.Object["status"]; found {
			t.Errorf("%s: creation stored the status %v", object.GetKind(), status)
		}
		changed := object.DeepCopy()
		with(t, changed, "spec.version", "9.9.9")
		with(t, changed, "status.observedGeneration", "7")
		if err := plane.Client.Status().Update(t.Context(), changed); err != nil {
			t.Fatal(err)
		}
		if changed.GetGeneration() != 1 {
			t.Errorf("%s: a status changed the generation", object.GetKind())
		}
		if version, _, _ := unstructured.NestedString(changed.Object, "spec", "version"); version == "9.9.9" {
			t.Errorf("%s: a status changed the spec", object.GetKind())
		}
	}
}
