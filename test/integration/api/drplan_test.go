// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"fmt"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// labels is a map of that many labels.
func labels(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("k%d: v", i))
	}
	return "{" + strings.Join(all, ", ") + "}"
}

func long(n int) string { return strings.Repeat("x", n) }

const (
	semver     = "spec.version: Invalid value: version must be a semantic version such as 1.4.2 when versionPolicy is Patch, Minor or Major"
	labelKey   = "matchLabels must have keys that are valid label keys: an optional DNS name and '/', then at most 63 letters, digits, '-', '_' and '.'"
	labelValue = "matchLabels must have values that are valid label values: at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends"
)

func TestBadDRPlansAreRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ path, value, want string }{
		"no spec":                        {"spec", "-", "spec: Required value"},
		"an unknown field":               {"spec.hooks", "[]", `unknown field "spec.hooks"`},
		"a misspelt field":               {"spec.gate.deadline", "60", `unknown field "spec.gate.deadline"`},
		"no workloads":                   {"spec.workloads", "-", "spec.workloads: Required value"},
		"no labels":                      {"spec.workloads.matchLabels", "-", "spec.workloads.matchLabels: Required value"},
		"empty labels":                   {"spec.workloads.matchLabels", "{}", "spec.workloads.matchLabels in body should have at least 1 properties"},
		"expressions":                    {"spec.workloads.matchExpressions", "[]", `unknown field "spec.workloads.matchExpressions"`},
		"too many labels":                {"spec.workloads.matchLabels", labels(17), "spec.workloads.matchLabels: Too many: 17: must have at most 16 items"},
		"a label value with a space":     {"spec.workloads.matchLabels", `{a: "b c"}`, labelValue},
		"a label value with a dash":      {"spec.workloads.matchLabels", `{a: "-b"}`, labelValue},
		"a long label value":             {"spec.workloads.matchLabels", "{a: " + long(64) + "}", "Too long: may not be more than 63"},
		"a label value that is a number": {"spec.workloads.matchLabels", "{a: 1}", `must be of type string: "integer"`},
		"a label key with a space":       {"spec.workloads.matchLabels", `{"a b": c}`, labelKey},
		"a label key without a name":     {"spec.workloads.matchLabels", `{"example.com/": c}`, labelKey},
		"an empty label key":             {"spec.workloads.matchLabels", `{"": c}`, labelKey},
		"a long label key":               {"spec.workloads.matchLabels", "{" + long(64) + ": c}", labelKey},
		"an empty version":               {"spec.version", `""`, "spec.version in body should be at least 1 chars long"},
		"a long version":                 {"spec.version", long(129), "spec.version: Too long: may not be more than 128"},
		"a version with a space":         {"spec.version", "1.0 beta", "spec.version: Invalid value: \"1.0 beta\": version must consist of visible ASCII characters without white space"},
		"a version with a line break":    {"spec.version", `"1.0\n"`, "version must consist of visible ASCII characters without white space"},
		"a version that is a number":     {"spec.version", "1.4", `spec.version in body must be of type string: "number"`},
		"an unknown policy":              {"spec.versionPolicy", "Loose", `spec.versionPolicy: Unsupported value: "Loose": supported values: "Exact", "Patch", "Minor", "Major"`},
		"an unknown mode":                {"spec.gate.mode", "hold", `spec.gate.mode: Unsupported value: "hold": supported values: "Hold", "Observe", "Disabled"`},
		"a boolean mode":                 {"spec.gate.mode", "false", `spec.gate.mode in body must be of type string: "boolean"`},
		"a short deadline":               {"spec.gate.deadlineSeconds", "59", "spec.gate.deadlineSeconds in body should be greater than or equal to 60"},
		"a long deadline":                {"spec.gate.deadlineSeconds", "604801", "spec.gate.deadlineSeconds in body should be less than or equal to 604800"},
		"a deadline with a unit":         {"spec.gate.deadlineSeconds", "1h", `spec.gate.deadlineSeconds in body must be of type integer: "string"`},
		"a fraction of a second":         {"spec.gate.deadlineSeconds", "60.5", "Checked value must be of type integer with format int32 in spec.gate.deadlineSeconds"},
		"an unknown action":              {"spec.gate.onDeadline", "Cancel", `spec.gate.onDeadline: Unsupported value: "Cancel": supported values: "Hold", "Release"`},
		"no attempt":                     {"spec.gate.backupAttempts", "0", "spec.gate.backupAttempts in body should be greater than or equal to 1"},
		"many attempts":                  {"spec.gate.backupAttempts", "11", "spec.gate.backupAttempts in body should be less than or equal to 10"},
		"no release kept":                {"spec.releaseHistoryLimit", "0", "spec.releaseHistoryLimit in body should be greater than or equal to 1"},
		"many releases kept":             {"spec.releaseHistoryLimit", "101", "spec.releaseHistoryLimit in body should be less than or equal to 100"},
		"an empty location":              {"spec.backup.storageLocation", `""`, "spec.backup.storageLocation in body should be at least 1 chars long"},
		"a location that is no name":     {"spec.backup.storageLocation", "Default", "storageLocation must be the name of a BackupStorageLocation: lower case letters, digits, '-' and '.'"},
		"a location with a path":         {"spec.backup.storageLocation", "a/b", "storageLocation must be the name of a BackupStorageLocation"},
		"a long location":                {"spec.backup.storageLocation", long(64), "spec.backup.storageLocation: Too long: may not be more than 63"},
		"a short retention":              {"spec.backup.retentionSeconds", "3599", "spec.backup.retentionSeconds in body should be greater than or equal to 3600"},
		"a long retention":               {"spec.backup.retentionSeconds", "315360001", "spec.backup.retentionSeconds in body should be less than or equal to 315360000"},
		"unknown volumes":                {"spec.backup.volumes", "CSI", `spec.backup.volumes: Unsupported value: "CSI": supported values: "Auto", "Snapshot", "FileSystem", "None"`},
		"no hook at all":                 {"spec.backup.minHooks", "0", "spec.backup.minHooks in body should be greater than or equal to 1"},
		"too many hooks":                 {"spec.backup.minHooks", "1001", "spec.backup.minHooks in body should be less than or equal to 1000"},
		"hooks of its own":               {"spec.backup.hooks", "{}", `unknown field "spec.backup.hooks"`},
		"foreign namespaces":             {"spec.backup.includedNamespaces", "[kube-system]", `unknown field "spec.backup.includedNamespaces"`},
		"a short recovery point":         {"spec.objectives.recoveryPointSeconds", "59", "spec.objectives.recoveryPointSeconds in body should be greater than or equal to 60"},
		"a long recovery point":          {"spec.objectives.recoveryPointSeconds", "31536001", "spec.objectives.recoveryPointSeconds in body should be less than or equal to 31536000"},
		"a short recovery time":          {"spec.objectives.recoveryTimeSeconds", "0", "spec.objectives.recoveryTimeSeconds in body should be greater than or equal to 60"},
		"a long recovery time":           {"spec.objectives.recoveryTimeSeconds", "604801", "spec.objectives.recoveryTimeSeconds in body should be less than or equal to 604800"},
		"a number beyond 32 bits":        {"spec.objectives.recoveryTimeSeconds", "99999999999", "spec.objectives.recoveryTimeSeconds in body should be less than or equal to 604800"},
		"a long name":                    {"metadata.name", long(64), "metadata.name must be at most 63 characters, since backups carry it as a label"},
		"a name in capitals":             {"metadata.name", "Shop", "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'"},
	}
	namespace := plane.Namespace(t)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			object := parse(t, namespace, plan)
			with(t, object, test.path, test.value)
			refusedWith(t, create(t, object, client.DryRunAll), test.want)
		})
	}
}

func TestVersionPolicyNeedsASemanticVersion(t *testing.T) {
	t.Parallel()
	namespace := plane.Namespace(t)
	for _, policy := range []string{"Patch", "Minor", "Major"} {
		for _, version := range []string{"stable", "1.4", "1", "1.4.2.1", "01.4.2", "1.4.x", "v", "1.4.2-", "1.4.2+"} {
			t.Run(policy+" "+version, func(t *testing.T) {
				t.Parallel()
				object := parse(t, namespace, plan)
				with(t, object, "spec.versionPolicy", policy)
				with(t, object, "spec.version", fmt.Sprintf("%q", version))
				refusedWith(t, create(t, object, client.DryRunAll), semver)
			})
		}
	}
}

func TestGoodDRPlansAreTaken(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ path, value string }{
		"as it is":                       {"metadata.labels", "{a: b}"},
		"without a version":              {"spec.version", "-"},
		"a version that is no number":    {"spec.version", "stable-2026_01"},
		"a version with a digest":        {"spec.version", "1.0.0@sha256:abc"},
		"the longest version":            {"spec.version", long(128)},
		"Minor without a version":        {"spec", "{versionPolicy: Minor, workloads: {matchLabels: {a: b}}}"},
		"Minor with a v":                 {"spec", "{version: v1.4.2, versionPolicy: Minor, workloads: {matchLabels: {a: b}}}"},
		"Major with everything":          {"spec", "{version: 1.4.2-rc.1+build.5, versionPolicy: Major, workloads: {matchLabels: {a: b}}}"},
		"as many labels as allowed":      {"spec.workloads.matchLabels", labels(16)},
		"a label without a value":        {"spec.workloads.matchLabels", `{marker: ""}`},
		"the longest label":              {"spec.workloads.matchLabels", "{" + strings.Repeat("d.", 126) + "d/" + long(63) + ": " + long(63) + "}"},
		"the shortest deadline":          {"spec.gate.deadlineSeconds", "60"},
		"the longest deadline":           {"spec.gate.deadlineSeconds", "604800"},
		"ten years of retention":         {"spec.backup.retentionSeconds", "315360000"},
		"a location":                     {"spec.backup.storageLocation", "eu-west.primary"},
		"the longest name":               {"metadata.name", long(63)},
		"a name with dots":               {"metadata.name", "shop.v2"},
		"an empty gate":                  {"spec.gate", "{}"},
		"observing":                      {"spec.gate", "{mode: Observe}"},
		"released when the time is over": {"spec.gate", "{onDeadline: Release, deadlineSeconds: 600}"},
	}
	namespace := plane.Namespace(t)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			object := parse(t, namespace, plan)
			with(t, object, test.path, test.value)
			if err := create(t, object, client.DryRunAll); err != nil {
				t.Error(err)
			}
		})
	}
}
