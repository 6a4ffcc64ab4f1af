// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package supervise

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLastLines(t *testing.T) {
	tests := map[string]struct {
		text  string
		lines int
		want  string
	}{
		"empty":                        {"", 3, ""},
		"only newlines":                {"\n\n", 3, ""},
		"fewer lines than asked for":   {"one\ntwo\n", 3, "one\ntwo"},
		"as many lines as asked for":   {"one\ntwo\n", 2, "one\ntwo"},
		"more lines than asked for":    {"one\ntwo\nthree\n", 2, "two\nthree"},
		"last line without a newline":  {"one\ntwo\nthree", 2, "two\nthree"},
		"empty lines between":          {"one\n\nthree\n", 2, "\nthree"},
		"empty lines at the end count": {"one\ntwo\n\n\n", 1, "two"},
		"no lines":                     {"one\n", 0, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := LastLines([]byte(test.text), test.lines); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestTailFile(t *testing.T) {
	long := strings.Repeat("x", tailWindow)
	tests := map[string]struct {
		text   string
		offset int64
		want   string
	}{
		"whole file":                      {"one\ntwo\n", 0, "one\ntwo"},
		"nothing of an earlier run":       {"one\ntwo\n", 4, "two"},
		"this run has written nothing":    {"one\ntwo\n", 8, ""},
		"the log was truncated meanwhile": {"one\n", 100, ""},
		"no more than a window":           {long + "\nlast\n", 0, long[:tailWindow-len("\nlast\n")] + "\nlast"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "log")
			if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := TailFile(path, test.offset, 10)
			if err != nil {
				t.Fatal(err)
			}
			if got != test.want {
				t.Errorf("got %d bytes %.40q, want %d bytes %.40q", len(got), got, len(test.want), test.want)
			}
		})
	}
}
