// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const types = `
// Condition types. Every type is reported.
const (
	// ConditionReady is True when nothing
	// needs a person.
	ConditionReady = "Ready"
)

// Reasons of ConditionReady.
const (
	// ReasonTooMany: more than Max workloads. False.
	ReasonTooMany = "TooMany"

	// ReasonMode: spec.gate.mode says so.
	ReasonMode = "Mode"

	// ReasonA and ReasonB: either a|b. True.
	ReasonA = "A"
	ReasonB = "B"
)
`

func TestTablesComeFromTheComments(t *testing.T) {
	dir := apiPackage(t, types)
	var out strings.Builder
	if err := run(dir, &out); err != nil {
		t.Fatal(err)
	}
	want := "\n## Condition types\n\n| Condition | Meaning |\n|---|---|\n" +
		"| `Ready` | True when nothing needs a person. |\n" +
		"\nEvery type is reported.\n" +
		"\n## Reasons of `Ready`\n\n| Reason | Meaning |\n|---|---|\n" +
		"| `TooMany` | More than 100 workloads. False. |\n" +
		"| `Mode` | spec.gate.mode says so. |\n" +
		"| `A` | Either a\\|b. True. |\n" +
		"| `B` | Either a\\|b. True. |\n"
	if diff := cmp.Diff(want, strings.TrimPrefix(out.String(), heading)); diff != "" {
		t.Errorf("tables (-want +got):\n%s", diff)
	}
}

func TestAConstantWithoutACommentIsAnError(t *testing.T) {
	tests := map[string]string{
		"no constants":        "",
		"no comment at all":   "// Condition types.\nconst (\n\tConditionReady = \"Ready\"\n)\n",
		"group not described": "const (\n\t// ConditionReady is.\n\tConditionReady = \"Ready\"\n)\n",
		"not named by the comment before it": "// Condition types.\nconst (\n" +
			"\t// ConditionA is.\n\tConditionA = \"A\"\n\n\tConditionB = \"B\"\n)\n",
	}
	for name, source := range tests {
		t.Run(name, func(t *testing.T) {
			if err := run(apiPackage(t, source), &strings.Builder{}); err == nil {
				t.Error("run returns no error")
			}
		})
	}
}

// apiPackage writes a package whose conditions.go holds the declarations.
func apiPackage(t *testing.T, declarations string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"conditions.go": "package v1alpha1\n" + declarations,
		"keys.go":       "package v1alpha1\n\nconst Max = 100\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
