// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package supervise

import (
	"bytes"
	"io"
	"os"
)

// tailWindow bounds how much of a log is read back to find its last lines.
const tailWindow = 64 << 10

// TailFile returns at most the given number of lines from the end of a file, none from before offset.
func TailFile(path string, offset int64, lines int) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return "", err
	}
	offset = max(min(offset, size), 0)
	if start := size - tailWindow; start > offset {
		offset = start
	}
	text, err := io.ReadAll(io.NewSectionReader(f, offset, size-offset))
	if err != nil {
		return "", err
	}
	return LastLines(text, lines), nil
}

// LastLines returns the last lines of a text, without the newline at its very end.
func LastLines(text []byte, lines int) string {
	text = bytes.TrimRight(text, "\n")
	if lines <= 0 {
		return ""
	}
	start := len(text)
	for range lines {
		newline := bytes.LastIndexByte(text[:start], '\n')
		if newline < 0 {
			return string(text)
		}
		start = newline
	}
	return string(text[start+1:])
}
