// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"encoding/json"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// Admission records why the operator released a hold. It is written in the very patch that releases it and read back
// later, so that nothing that the operator did has to be inferred from its effects. The Deployment controller copies it
// to the ReplicaSet that it starts.
type Admission struct {
	// UID of the workload: a copy, or one that was restored, carries the record of another.
	UID types.UID `json:"uid"`

	// Template is the hash of the pod template that was admitted.
	Template string `json:"template"`

	// Generation of the workload when it was held, before the release.
	Generation int64 `json:"generation"`

	// Plan that it was held for.
	Plan string `json:"plan"`

	// Reason is why: a v1alpha1.StartReason, or that nothing new starts.
	Reason string `json:"reason"`

	// Release and Rollout that it belongs to, and the Backup that allowed it, where there are any.
	Release string `json:"release,omitempty"`
	Rollout int32  `json:"rollout,omitempty"`
	Backup  string `json:"backup,omitempty"`

	// Time is when, by the clock of the operator.
	Time time.Time `json:"time,omitzero"`
}

// admissionOf reads the record of a workload, or of its ReplicaSet; nil where there is none that belongs to it.
func admissionOf(annotations map[string]string, uid types.UID) *Admission {
	raw, ok := annotations[v1alpha1.AnnotationAdmitted]
	if !ok {
		return nil
	}
	a := &Admission{}
	if err := json.Unmarshal([]byte(raw), a); err != nil || a.UID != uid {
		return nil
	}
	return a
}

// Of reports whether it admitted the template with a hash. It may be absent.
func (a *Admission) Of(hash string) bool { return a != nil && a.Template == hash }
