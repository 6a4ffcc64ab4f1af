// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// samples are durations that were measured.
type samples []time.Duration

// at is a percentile, by the nearest rank.
func (s samples) at(percent int) time.Duration {
	sorted := slices.Sorted(slices.Values(s))
	rank := (len(sorted)*percent + 99) / 100
	return sorted[max(rank, 1)-1]
}

// row is a line of a table of percentiles.
func (s samples) row(name string) string {
	return fmt.Sprintf("| %s | %s | %s | %s | %d |", name, millis(s.at(50)), millis(s.at(90)), millis(s.at(99)), len(s))
}

func millis(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

// ratio is how many times as long as a baseline something takes at the median, with the interval that holds the true value
// in 95 of 100 such measurements.
type ratio struct{ value, low, high float64 }

// resamples are enough for an interval whose second decimal does not depend on chance.
const resamples = 5000

// ratioOf compares samples that were taken in turns, pair by pair. The interval is that of the bootstrap: pairs are drawn
// from those that were measured, as many and with replacement, again and again; 95 % of the ratios so found are in it.
func ratioOf(a, b samples) ratio {
	// Always the same draws: the same samples have the same interval.
	random := rand.New(rand.NewPCG(1, 2))
	drawn := make([]float64, resamples)
	x, y := make(samples, len(a)), make(samples, len(a))
	for n := range drawn {
		for i := range x {
			pair := random.IntN(len(a))
			x[i], y[i] = a[pair], b[pair]
		}
		drawn[n] = x.over(y)
	}
	slices.Sort(drawn)
	return ratio{value: a.over(b), low: drawn[resamples*25/1000], high: drawn[resamples*975/1000]}
}

// over is how many times as long as others they took, at the median.
func (s samples) over(others samples) float64 { return float64(s.at(50)) / float64(others.at(50)) }

func (r ratio) String() string {
	return fmt.Sprintf("%.2f (95 %%: %.2f to %.2f)", r.value, r.low, r.high)
}

// within judges a ratio by its whole interval.
func (r ratio) within(limit float64) verdict {
	switch {
	case r.high <= limit:
		return met
	case r.low > limit:
		return missed
	default:
		return undecided
	}
}
