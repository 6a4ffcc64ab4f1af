// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"strings"

	"github.com/backstay-dr/backstay/internal/workload"
)

// kind is a kind of workload, of which the policies are built. What differs between kinds is in package workload; everything
// that they have in common is in the policies.
type kind struct{ *workload.Kind }

// kinds that a plan can hold.
func kinds() []kind {
	out := make([]kind, len(workload.Kinds))
	for i, k := range workload.Kinds {
		out[i] = kind{k}
	}
	return out
}

// holdingOf is the expression that an object is held in its spec.
func (k kind) holdingOf(object string) string { return strings.ReplaceAll(k.CEL.Holding, "%s", object) }
