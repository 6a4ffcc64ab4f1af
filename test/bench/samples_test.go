// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math/rand/v2"
	"testing"
	"time"
)

// noisy are samples around a median, with a tail to the right as latencies have it.
func noisy(random *rand.Rand, median time.Duration, n int) samples {
	out := make(samples, n)
	for i := range out {
		out[i] = median + time.Duration(float64(median)*0.2*random.NormFloat64())
		if random.IntN(10) == 0 {
			out[i] += 3 * median
		}
	}
	return out
}

func TestIntervalHoldsTheTrueRatioInAboutNineteenOfTwentyMeasurements(t *testing.T) {
	const truth, trials = 1.5, 100
	random := rand.New(rand.NewPCG(3, 4))
	held := 0
	for range trials {
		b := noisy(random, 4*time.Millisecond, 60)
		a := noisy(random, truth*4*time.Millisecond, 60)
		r := ratioOf(a, b)
		if r.low > r.value || r.high < r.value {
			t.Fatalf("%v is not in its own interval", r)
		}
		if r.low <= truth && truth <= r.high {
			held++
		}
	}
	if held < trials*90/100 {
		t.Errorf("%d of %d intervals hold the true ratio", held, trials)
	}
}

func TestVerdictIsOfTheWholeInterval(t *testing.T) {
	for _, tc := range []struct {
		low, high float64
		want      verdict
	}{
		{1.1, 1.5, met}, {1.4, 1.6, undecided}, {1.51, 1.9, missed},
	} {
		if got := (ratio{low: tc.low, high: tc.high}).within(1.5); got != tc.want {
			t.Errorf("%g to %g: %s, want %s", tc.low, tc.high, got, tc.want)
		}
	}
}
