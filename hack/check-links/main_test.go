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

func TestCheck(t *testing.T) {
	tests := map[string]struct {
		content string
		want    []string // without the file's name
	}{
		"links that lead somewhere": {
			content: "# A page, `code` & more\n[web](https://example.com/x) [other](docs/other.md) [folder](docs)\n" +
				"[here](#a-page-code--more) [there](docs/other.md#second-part \"title\") [again](docs/other.md#second-part-1)\n" +
				"[ref][r]\n\n[r]: docs/other.md#by-hand\n",
		},
		"no such file":            {content: "\n[x](docs/none.md)", want: []string{":2: docs/none.md: no such file"}},
		"no such heading":         {content: "[x](docs/other.md#third)", want: []string{":1: docs/other.md#third: no such heading in "}},
		"no such heading here":    {content: "[x](#nothing)", want: []string{":1: #nothing: no such heading in "}},
		"a definition":            {content: "[r]: none.md", want: []string{":1: none.md: no such file"}},
		"code is not a link":      {content: "`[x](none.md)`\n```\n[x](none.md)\n# not a heading\n```\n"},
		"code has no headings":    {content: "```\n# shell\n```\n[x](#shell)", want: []string{":4: #shell: no such heading in "}},
		"an image is a link, too": {content: "![x](none.png)", want: []string{":1: none.png: no such file"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "docs", "other.md"), "## Second part\n## Second part\n<a id=\"by-hand\"></a>\n")
			file := filepath.Join(dir, "README.md")
			write(t, file, tc.content)
			got, err := check(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, withoutPath(got, dir)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// withoutPath strips the name of the page from the front of each problem, and that of the other page from its end.
func withoutPath(problems []string, dir string) []string {
	var short []string
	for _, p := range problems {
		p = strings.TrimPrefix(p, filepath.Join(dir, "README.md"))
		p = strings.TrimSuffix(p, filepath.Join(dir, "README.md"))
		short = append(short, strings.TrimSuffix(p, filepath.Join(dir, "docs", "other.md")))
	}
	return short
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
