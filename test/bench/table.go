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
	"slices"
	"strings"
	"time"
)

// writeHead says where, when and of what the figures are.
func writeHead(w io.Writer, s settings) {
	fmt.Fprintln(w, "# What the operator costs")
	fmt.Fprintln(w)
	fmt.Fprintf(w, "%s; %s; %s; etcd without fsync, both on this machine, as is the operator. Velero and the Deployment "+
		"controller are played. Samples: %d rollouts, %d edits, %d plans watched for %s.\n\n",
		machine(), apiServerVersion(), runtime.Version(), s.rollouts, s.edits, s.plans, s.idle)
	fmt.Fprintf(w, "Load of the machine when it began: %s. %s.\n\n", load(), time.Now().UTC().Format("2006-01-02"))
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

// samples are durations that were measured.
type samples []time.Duration

// at is a percentile, by the nearest rank.
func (s samples) at(percent int) time.Duration {
	sorted := slices.Sorted(slices.Values(s))
	rank := (len(sorted)*percent + 99) / 100
	return sorted[max(rank, 1)-1]
}

func (s samples) row(name string) string {
	return fmt.Sprintf("| %s | %s | %s | %s | %d |", name, millis(s.at(50)), millis(s.at(90)), millis(s.at(99)), len(s))
}

// over is how many times as long as others they took, at the median.
func (s samples) over(others samples) float64 { return float64(s.at(50)) / float64(others.at(50)) }

func millis(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

// writeComparison writes what was measured beside its baseline.
func writeComparison(w io.Writer, title, ours, bare string, a, b samples, target float64) {
	ratio := a.over(b)
	fmt.Fprintf(w, "## %s\n\n| | p50 | p90 | p99 | samples |\n|---|---|---|---|---|\n%s\n%s\n\n", title, a.row(ours), b.row(bare))
	fmt.Fprintf(w, "Ratio at p50: **%.2f**, target at most %g: %s.\n\n", ratio, target, verdict(ratio <= target))
}

func verdict(met bool) string {
	if met {
		return "met"
	}
	return "**missed**"
}
