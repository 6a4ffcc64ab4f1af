// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package facts

import (
	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/workload"
)

// KeyOf is the key of the workload that a record is of.
func KeyOf(rec *v1alpha1.RolloutWorkload) workload.Key {
	return workload.Key{Group: rec.Group, Kind: rec.Kind, Name: rec.Name}
}

// KeyOfSeen is the key of a workload that a plan remembers.
func KeyOfSeen(w *v1alpha1.PlanWorkload) workload.Key {
	return workload.Key{Group: w.Group, Kind: w.Kind, Name: w.Name}
}

// Identity tells a workload from one of the same name that was deleted.
type Identity struct {
	Key workload.Key
	UID string
}

// Revision is a template of a workload.
type Revision struct {
	Identity
	Hash string
}

// IdentityOf is the identity of a member.
func IdentityOf(m *Member) Identity { return Identity{m.Key, string(m.UID)} }

// RevisionOf is a template of a member.
func RevisionOf(m *Member, hash string) Revision { return Revision{IdentityOf(m), hash} }
