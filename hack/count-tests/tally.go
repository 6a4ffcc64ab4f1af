// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import "slices"

// tally is the result of a run.
type tally struct {
	passed  int
	failed  []string
	skipped []string
}

func (t *tally) add(other tally) {
	t.passed += other.passed
	t.failed = append(t.failed, other.failed...)
	t.skipped = append(t.skipped, other.skipped...)
}

type test struct{ pkg, name string }

func (t test) String() string { return t.pkg + "." + t.name }

// counter follows the events of a run.
type counter struct {
	tally
	open     map[test]bool   // began and did not end yet
	failedIn map[string]bool // packages in which a test failed
}

func (c *counter) see(e event) {
	t := test{e.Package, e.Test}
	switch {
	case e.Test == "":
		c.seePackage(e)
		return
	case e.Action == "run":
		c.open[t] = true
		return
	case e.Action == "pass":
		c.passed++
	case e.Action == "skip":
		c.skipped = append(c.skipped, t.String())
	case e.Action == "fail":
		c.fail(t)
	default:
		return
	}
	delete(c.open, t)
}

// seePackage counts a package that failed without any of its tests having failed: it does not build, or it left before a
// test ended.
func (c *counter) seePackage(e event) {
	if e.Action != "fail" {
		return
	}
	for t := range c.open {
		if t.pkg == e.Package {
			c.fail(t)
		}
	}
	if !c.failedIn[e.Package] {
		c.failed = append(c.failed, e.Package)
	}
}

func (c *counter) fail(t test) {
	delete(c.open, t)
	c.failedIn[t.pkg] = true
	c.failed = append(c.failed, t.String())
}

// close ends the count. A test that has not ended by now failed: its program panicked, was killed, or ran into its
// deadline.
func (c *counter) close() tally {
	for t := range c.open {
		c.fail(t)
	}
	slices.Sort(c.failed)
	return c.tally
}
