// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"strings"
	"testing"
	"unicode/utf8"

	"k8s.io/client-go/tools/events"

	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/status"
	"github.com/backstay-dr/backstay/internal/workload"
	"github.com/backstay-dr/backstay/test/gen"
)

// Workloads of different kinds may share a name.
func TestEventIsOnTheWorkloadOfItsKind(t *testing.T) {
	recorder := events.NewFakeRecorder(2)
	web := workload.FromDeployment(gen.Deployment("web"), nil)
	other := web.Key
	other.Kind = "StatefulSet"
	Events{recorder}.Transitions(facts.Input{Members: []facts.Member{{View: web}}}, gen.Release("shop", "1"), []status.Event{
		{Workload: other, Reason: "Other"}, {Workload: web.Key, Reason: "Web"},
	})
	close(recorder.Events)
	var got []string
	for event := range recorder.Events {
		got = append(got, event)
	}
	if len(got) != 1 || !strings.Contains(got[0], "Web") {
		t.Errorf("events %q, want the one of the Deployment", got)
	}
}

func TestNoteFitsIntoAnEvent(t *testing.T) {
	for name, note := range map[string]string{
		"short":                       "web is held",
		"as long as it may be":        strings.Repeat("x", maxNote),
		"too long":                    strings.Repeat("x", maxNote+1),
		"cut within a character":      strings.Repeat("x", maxNote-1) + "é",
		"a reason of wide characters": strings.Repeat("保", maxNote),
	} {
		t.Run(name, func(t *testing.T) {
			got := bounded(note)
			if len(got) > maxNote || !utf8.ValidString(got) || !strings.HasPrefix(note, got) {
				t.Errorf("%d bytes, valid %t: %q", len(got), utf8.ValidString(got), got)
			}
			if len(note) <= maxNote && got != note {
				t.Errorf("%q was cut to %q", note, got)
			}
		})
	}
}

// A note quotes reasons, names and errors that others wrote.
func TestNoteIsPrintable(t *testing.T) {
	if got, want := bounded("overridden by ev\u202ea: \x1b[2Jgo\u200b"), `overridden by ev\u202ea: \u001b[2Jgo\u200b`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
