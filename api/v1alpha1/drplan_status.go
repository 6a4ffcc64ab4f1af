// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// DRPlanStatus is what was observed of a plan.
//
// It is written by the operator alone, as a whole: who manages it is recorded once, and not for each of its fields
// (docs/adr/0007).
// +structType=atomic
type DRPlanStatus struct {
	// conditions are Ready, Gated, Drifted, Covered, Protected and Proven;
	// Reconciling and Stalled only while True.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of the spec that this status speaks of.
	// +optional
	// +kubebuilder:validation:Minimum=1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// versions are the four versions that tell the story of the application.
	// +optional
	Versions Versions `json:"versions,omitzero"`

	// protectingBackup is the newest backup that protects a version.
	// +optional
	ProtectingBackup *ProtectingBackup `json:"protectingBackup,omitempty"`

	// heldCount is how many workloads are held now; absent while none is.
	// +optional
	// +kubebuilder:validation:Minimum=1
	HeldCount int32 `json:"heldCount,omitempty"`

	// held lists the workloads that are held now, by name.
	// +optional
	// +listType=map
	// +listMapKey=group
	// +listMapKey=kind
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=100
	Held []HeldWorkload `json:"held,omitempty"`

	// workloads are the workloads that the plan selects, each with the revision
	// that was last admitted, by name.
	// +optional
	// +listType=map
	// +listMapKey=group
	// +listMapKey=kind
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=100
	Workloads []PlanWorkload `json:"workloads,omitempty"`

	// departed are workloads that the plan selected before: those that still exist
	// and that it selects no more, and those that were deleted without their pods.
	// One that comes back with another template, or is created again over those
	// pods, started past the gate. The newest are last. At most 100.
	// +optional
	// +listType=map
	// +listMapKey=group
	// +listMapKey=kind
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=100
	Departed []PlanWorkload `json:"departed,omitempty"`

	// lastStart is when a revision of the application last started: what a backup
	// must be younger than to allow the next one.
	// +optional
	LastStart *LastStart `json:"lastStart,omitempty"`

	// gateProof identifies the admission policies and the generation of this plan
	// that the last probe proved, so that neither an unchanged gate nor a restart
	// of the operator is probed again.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	GateProof string `json:"gateProof,omitempty"`
}

// Versions are the four versions of an application. Absent where there is
// none.
type Versions struct {
	// planned is what the plan was written for.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Planned string `json:"planned,omitempty"`

	// running is what runs. Where the workloads run several versions these are
	// listed, separated by commas; at most three, then "...".
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Running string `json:"running,omitempty"`

	// protected is the version of the newest protecting backup.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Protected string `json:"protected,omitempty"`

	// proven is the version whose backup last passed a restore drill.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Proven string `json:"proven,omitempty"`
}

// ProtectingBackup is the newest backup that protects a version.
type ProtectingBackup struct {
	// name of the Backup in Velero's namespace.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name,omitempty"`

	// version that the backup captured.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Version string `json:"version,omitempty"`

	// startTime is when Velero began it: the recovery point.
	// +required
	StartTime metav1.Time `json:"startTime,omitzero"`

	// completionTime is when Velero completed it.
	// +required
	CompletionTime metav1.Time `json:"completionTime,omitzero"`
}

// HeldWorkload is a workload that is held.
type HeldWorkload struct {
	// group is the API group of the workload.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Group string `json:"group,omitempty"`

	// kind of the workload.
	// +required
	Kind WorkloadKind `json:"kind,omitempty"`

	// name of the workload.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`

	// version that the held revision would bring.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Version string `json:"version,omitempty"`

	// release is the AppRelease that tells the details.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Release string `json:"release,omitempty"`

	// since is when the rollout was held.
	// +optional
	Since *metav1.Time `json:"since,omitempty"`

	// until is the deadline, when spec.gate.onDeadline applies: with Release it is
	// released then, with Hold it stays held until its backup is Completed.
	// +optional
	Until *metav1.Time `json:"until,omitempty"`

	// reason is what it waits for: a reason of the Ready condition of its
	// AppRelease, or NotRecorded, or Restored.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Reason string `json:"reason,omitempty"`

	// templateHash identifies the template that was restored; only where reason is
	// Restored. Another template is held like any other change.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	TemplateHash string `json:"templateHash,omitempty"`
}

// PlanWorkload is a workload that a plan selects.
type PlanWorkload struct {
	// group is the API group of the workload.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Group string `json:"group,omitempty"`

	// kind of the workload.
	// +required
	Kind WorkloadKind `json:"kind,omitempty"`

	// name of the workload.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`

	// uid of the workload: one that was deleted and created again is another one.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	UID string `json:"uid,omitempty"`

	// version that runs.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Version string `json:"version,omitempty"`

	// versionSource is where that version was found.
	// +optional
	VersionSource VersionSource `json:"versionSource,omitempty"`

	// templateHash identifies the pod template that was last admitted. Absent
	// while that is not known.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	TemplateHash string `json:"templateHash,omitempty"`

	// revision names the ReplicaSet or ControllerRevision of that template. It
	// identifies the template where the hash cannot be compared: after an upgrade
	// of the operator that computes hashes in another way.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Revision string `json:"revision,omitempty"`

	// otherRevisions are further revisions of it that are known to have run with
	// reason: what was admitted before, and what ran when the plan first saw the
	// workload. By name, the newest 4.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=4
	OtherRevisions []PlanRevision `json:"otherRevisions,omitempty"`
}

// PlanRevision is a revision of a workload that ran.
type PlanRevision struct {
	// name of the ReplicaSet or ControllerRevision.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`

	// templateHash identifies its pod template.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	TemplateHash string `json:"templateHash,omitempty"`
}

// LastStart is when a revision of an application last started.
type LastStart struct {
	// time of the start, as the operator saw it.
	// +required
	Time metav1.Time `json:"time,omitzero"`

	// version that started; absent where that is not known.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Version string `json:"version,omitempty"`

	// rollout is the number of that rollout; absent where none was recorded, since
	// the gate was Disabled.
	// +optional
	// +kubebuilder:validation:Minimum=1
	Rollout int32 `json:"rollout,omitempty"`
}
