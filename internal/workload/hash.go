// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// hashVersion is part of every hash, so that a hash that an earlier Backstay computed in another way is told from a
// template that changed.
const hashVersion = "v1-"

// hashPodSpec identifies the spec of a pod template.
func hashPodSpec(spec *corev1.PodSpec) string {
	raw, err := json.Marshal(spec)
	if err != nil {
		// A PodSpec came from JSON: it has no value that JSON cannot express.
		panic(err)
	}
	sum := sha256.Sum256(raw)
	return hashVersion + hex.EncodeToString(sum[:10])
}

// ComparableHash says whether a stored hash was computed as this version computes it.
func ComparableHash(hash string) bool {
	return strings.HasPrefix(hash, hashVersion)
}
