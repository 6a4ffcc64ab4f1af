// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package printable makes of text that others chose what a person can be shown: a name, a reason, an error. Characters that
// nobody sees, or that change how their neighbours are shown, let one text pass for another, or take over a terminal.
package printable

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Text writes every character that is not shown as itself as its code, "\u202e" for example: control and format characters,
// among them those for the direction of text, separators, and what has no width. Line breaks and tabs become blanks, what
// is not UTF-8 "\ufffd".
func Text(s string) string { return clean(s, " ", " ") }

// Lines is a writer for logs. It passes on what is written as Text, line breaks and tabs aside. A line of JSON keeps its
// meaning: there the codes stand for the same characters.
func Lines(w io.Writer) io.Writer { return lines{w} }

type lines struct{ to io.Writer }

func (l lines) Write(p []byte) (int, error) {
	if _, err := io.WriteString(l.to, clean(string(p), "\n", "\t")); err != nil {
		return 0, err
	}
	return len(p), nil
}

func clean(s, newline, tab string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
		return s // most text is ASCII
	}
	var out strings.Builder
	for _, r := range s {
		switch {
		case r == '\n':
			out.WriteString(newline)
		case r == '\t':
			out.WriteString(tab)
		case shown(r):
			out.WriteRune(r)
		default:
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&out, `\u%04x`, unit)
			}
		}
	}
	return out.String()
}

// brailleBlank has a width and no dots.
const brailleBlank = '\u2800'

// shown reports whether a character is shown as itself. Some letters and marks are not.
func shown(r rune) bool {
	return unicode.IsPrint(r) && r != utf8.RuneError && r != brailleBlank &&
		!unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}
