// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
)

// maxSteps bounds a run of chaos.
const maxSteps = 60

var (
	seeds     = flag.Uint64("chaos.seeds", 40, "how many worlds of chaos to run")
	firstSeed = flag.Uint64("chaos.first", 0, "seed of the first of them")
)

func runChaos(t testing.TB, script []byte) {
	s := shopSim(t, chaosWorkloads...)
	c := newChaos(s)
	c.record()
	defer func() {
		if t.Failed() {
			t.Logf("script %#v\n%s", script, c.log)
		}
	}()
	for i := 0; i+1 < len(script) && i < 2*maxSteps && !t.Failed(); i += 2 {
		c.act(script[i], script[i+1])
	}
	if !t.Failed() {
		c.calm()
		c.mustRest()
		c.mustBeFree()
	}
}

// TestPromise1_NothingStartsUnprotectedWhateverHappens runs the worlds of many seeds.
func TestPromise1_NothingStartsUnprotectedWhateverHappens(t *testing.T) {
	for seed := *firstSeed; seed < *firstSeed+*seeds; seed++ {
		random := rand.New(rand.NewPCG(seed, 1))
		script := make([]byte, 2*maxSteps)
		for i := range script {
			script[i] = byte(random.UintN(256))
		}
		if t.Run(fmt.Sprint(seed), func(t *testing.T) { runChaos(t, script) }); t.Failed() {
			break
		}
	}
}

// FuzzWorld looks for a world in which something starts unprotected, or waits for ever.
func FuzzWorld(f *testing.F) {
	f.Add([]byte("roll out, wait, kill"))
	f.Fuzz(func(t *testing.T, script []byte) { runChaos(t, script) })
}
