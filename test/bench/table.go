// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// verdict is what a figure means for its target.
type verdict string

const (
	met       verdict = "met"
	missed    verdict = "**missed**"
	undecided verdict = "undecided" // the interval holds the target: measure on a quieter machine, or more pairs
)

func verdictOf(ok bool) verdict {
	if ok {
		return met
	}
	return missed
}

// report is what the measurements found: a verdict for each target, and the details below.
type report struct{ verdicts, details strings.Builder }

// judge adds the verdict on one target.
func (r *report) judge(v verdict, target, measured string) {
	fmt.Fprintf(&r.verdicts, "| %s | %s | %s |\n", v, target, measured)
}

// detail adds to the text below the verdicts.
func (r *report) detail(format string, args ...any) { fmt.Fprintf(&r.details, format, args...) }

// write writes the report under a head that says where, when and of what the figures are.
func (r *report) write(w io.Writer, s settings, load string, took time.Duration) error {
	_, err := fmt.Fprintf(w, "# What the operator costs\n\n| verdict | target | measured |\n|---|---|---|\n%s\n"+
		"%s; %s; %s; etcd without fsync, both on this machine, as is the operator. Velero and the Deployment "+
		"controller are played. %d pairs of each comparison, taken in turns; %d plans. An interval holds the true ratio in 95 of 100 such "+
		"measurements.\n\nLoad of the machine when it began: %s. %s, in %s.\n\n%s",
		r.verdicts.String(), machine(), apiServerVersion(), runtime.Version(), s.pairs, s.plans,
		load, time.Now().UTC().Format("2006-01-02"), took.Round(time.Second), r.details.String())
	return err
}

// machine is the processor and the memory, as far as Linux tells them.
func machine() string {
	text := fmt.Sprintf("%s/%s, %d CPUs", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	if model := field("/proc/cpuinfo", "model name"); model != "" {
		text += " (" + model + ")"
	}
	if memory := field("/proc/meminfo", "MemTotal"); memory != "" {
		text += ", " + memory + " of memory"
	}
	return text
}

// field is the first value of a name in a file of "name: value" lines.
func field(path, name string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		key, value, ok := strings.Cut(lines.Text(), ":")
		if ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func load() string {
	raw, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "not known"
	}
	return strings.Fields(string(raw))[0]
}

func apiServerVersion() string {
	program := filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kube-apiserver")
	out, err := exec.CommandContext(context.Background(), program, "--version").Output()
	if err != nil {
		return "kube-apiserver of unknown version"
	}
	return "kube-apiserver: " + strings.TrimSpace(string(out))
}

// writeComparison writes what was measured beside its baseline, and judges the two.
func (r *report) writeComparison(title, ours, bare string, a, b samples, target float64) {
	found := ratioOf(a, b)
	r.judge(found.within(target), fmt.Sprintf("%s: at most %g times the baseline", title, target), found.String())
	r.detail("## %s\n\n| | p50 | p90 | p99 | samples |\n|---|---|---|---|---|\n%s\n%s\n\n", title, a.row(ours), b.row(bare))
	r.detail("Ratio of the medians: **%s**, target at most %g: %s.\n\n", found, target, found.within(target))
}
