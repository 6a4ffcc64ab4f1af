// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package control

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"
)

// WriteTable renders a status for people.
func WriteTable(out io.Writer, s Status, now time.Time) error {
	fmt.Fprintf(out, "Cluster %s: %s", s.Name, s.Phase)
	if s.Phase == PhaseReady || s.Phase == PhaseStarting {
		fmt.Fprintf(out, ", up %s, supervisor %d", age(s.StartTime, now), s.PID)
	}
	fmt.Fprintf(out, "\nFolder: %s\n", s.Folder)
	if s.Message != "" {
		fmt.Fprintf(out, "\n%s\n", s.Message)
	}
	fmt.Fprintln(out)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PROGRAM\tSTATE\tPID\tUPTIME\tPORT\tLOG")
	for _, p := range s.Programs {
		uptime := "-"
		if p.StartTime != nil {
			uptime = age(*p.StartTime, now)
		}
		state := string(p.State)
		if p.Message != "" {
			state += " (" + p.Message + ")"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", p.Name, state, number(p.PID), uptime, number(p.Port), p.Log)
	}
	return table.Flush()
}

func age(since, now time.Time) string { return max(now.Sub(since), 0).Round(time.Second).String() }

func number(n int) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(n)
}
