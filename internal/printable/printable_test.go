// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package printable_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/backstay-dr/backstay/internal/printable"
)

func TestText(t *testing.T) {
	for name, tc := range map[string]struct{ in, want string }{
		"ASCII":                       {"1.5.0-rc.1+build.7 (Jenkins)", "1.5.0-rc.1+build.7 (Jenkins)"},
		"other scripts":               {"Müller 東京 – ок", "Müller 東京 – ок"},
		"an emoji":                    {"🚀", "🚀"},
		"empty":                       {"", ""},
		"a line break and a tab":      {"a\nb\tc", "a b c"},
		"a colour":                    {"\x1b[31mred", `\u001b[31mred`},
		"a control sequence of 8 bit": {"a\u009bb", `a\u009bb`},
		"right to left":               {"1.5\u202e0.", `1.5\u202e0.`},
		"an isolate":                  {"\u2067x\u2069", `\u2067x\u2069`},
		"zero width":                  {"1\u200b.5", `1\u200b.5`},
		"a joiner and a byte order":   {"a\u2060\ufeff", `a\u2060\ufeff`},
		"a soft hyphen":               {"a\u00adb", `a\u00adb`},
		"a hard blank":                {"a\u00a0b", `a\u00a0b`},
		"a line separator":            {"a\u2028b", `a\u2028b`},
		"a letter that is none":       {"a\u3164b", `a\u3164b`},
		"a braille blank":             {"a\u2800b", `a\u2800b`},
		"a variation":                 {"a\ufe0fb", `a\ufe0fb`},
		"a tag":                       {"a\U000e0041b", `a\udb40\udc41b`},
		"not UTF-8":                   {"a\xffb", `a\ufffdb`},
		"for private use":             {"a\ue000b", `a\ue000b`},
	} {
		t.Run(name, func(t *testing.T) {
			got := printable.Text(tc.in)
			if got != tc.want {
				t.Errorf("Text(%q) = %q, want %q", tc.in, got, tc.want)
			}
			if again := printable.Text(got); again != got {
				t.Errorf("Text is not idempotent: %q", again)
			}
		})
	}
}

// A line of the log stays the JSON that it was.
func TestLinesKeepTheirContent(t *testing.T) {
	const message = "ev\u202ea\u200b \U000e0041 wrote\nMüller\t\u009b"
	var line strings.Builder
	encoder := json.NewEncoder(&line)
	if err := encoder.Encode(message); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, part := range []string{line.String(), "stack\n\tframe\n"} {
		if n, err := printable.Lines(&out).Write([]byte(part)); err != nil || n != len(part) {
			t.Errorf("Write() = %d, %v, want %d", n, err, len(part))
		}
	}
	first, rest, _ := strings.Cut(out.String(), "\n")
	var read string
	if err := json.Unmarshal([]byte(first), &read); err != nil || read != message {
		t.Errorf("read %q, %v from %s", read, err, first)
	}
	if strings.ContainsAny(first, "\u202e\u200b\u009b") {
		t.Errorf("printed as it is: %q", first)
	}
	if rest != "stack\n\tframe\n" {
		t.Errorf("a stack became %q", rest)
	}
}

// FuzzText: whatever comes in, what goes out is one line in which every character is shown.
func FuzzText(f *testing.F) {
	for _, s := range []string{"1.5.0", "\x00", "\u202e", "\u200b", "\xff", "é", "🏳️‍🌈"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := printable.Text(s)
		if !utf8.ValidString(got) {
			t.Errorf("Text(%q) = %q is not UTF-8", s, got)
		}
		if strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) }) {
			t.Errorf("Text(%q) = %q", s, got)
		}
	})
}
