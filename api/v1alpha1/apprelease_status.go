// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// RolloutCause says how a rollout came to the operator's knowledge.
// +kubebuilder:validation:Enum=Ahead;Held;Observed;Escaped
type RolloutCause string

const (
	// CauseAhead: a release with intent Deploy announced it, before any workload
	// changed.
	CauseAhead RolloutCause = "Ahead"
	// CauseHeld: the gate held a workload.
	CauseHeld RolloutCause = "Held"
	// CauseObserved: a workload rolled out and the gate was not to hold it, or
	// could not.
	CauseObserved RolloutCause = "Observed"
	// CauseEscaped: a workload rolled out although the gate was proven to hold.
	CauseEscaped RolloutCause = "Escaped"
)

// RolloutOutcome says how a rollout ended.
// +kubebuilder:validation:Enum=RolledOut;Superseded;Reverted;Abandoned
type RolloutOutcome string

const (
	// OutcomeRolledOut: every workload of it ran the version.
	OutcomeRolledOut RolloutOutcome = "RolledOut"
	// OutcomeSuperseded: another rollout took its workloads over.
	OutcomeSuperseded RolloutOutcome = "Superseded"
	// OutcomeReverted: the change was taken back before it started.
	OutcomeReverted RolloutOutcome = "Reverted"
	// OutcomeAbandoned: its workloads are gone, or the plan selects them no more.
	OutcomeAbandoned RolloutOutcome = "Abandoned"
)

// WorkloadState is where one workload of a rollout stands.
// +kubebuilder:validation:Enum=Held;Admitted;RolledOut;Superseded;Reverted;Abandoned
type WorkloadState string

const (
	// WorkloadHeld: its new revision must not start yet.
	WorkloadHeld WorkloadState = "Held"
	// WorkloadAdmitted: its new revision was admitted, or started by itself, and is
	// rolling out.
	WorkloadAdmitted WorkloadState = "Admitted"
	// WorkloadRolledOut: its new revision runs.
	WorkloadRolledOut WorkloadState = "RolledOut"
	// WorkloadSuperseded: it belongs to a newer rollout now.
	WorkloadSuperseded WorkloadState = "Superseded"
	// WorkloadReverted: the change was taken back before it started.
	WorkloadReverted WorkloadState = "Reverted"
	// WorkloadAbandoned: it is gone, or no longer of the plan.
	WorkloadAbandoned WorkloadState = "Abandoned"
)

// StartReason says why the new revision of a workload started.
// +kubebuilder:validation:Enum=BackupCompleted;Overridden;DeadlinePassed;ModeChanged;NotHeld
type StartReason string

const (
	// StartBackupCompleted: the backup Completed and satisfied the release rule.
	StartBackupCompleted StartReason = "BackupCompleted"
	// StartOverridden: somebody with the right to do so overrode the hold.
	StartOverridden StartReason = "Overridden"
	// StartDeadlinePassed: it was held up to its deadline, and onDeadline is
	// Release.
	StartDeadlinePassed StartReason = "DeadlinePassed"
	// StartModeChanged: the plan's gate mode became Observe or Disabled while it was
	// held.
	StartModeChanged StartReason = "ModeChanged"
	// StartNotHeld: it bypassed the gate.
	StartNotHeld StartReason = "NotHeld"
)

// VersionSource is where the version of a workload was found.
// +kubebuilder:validation:Enum=Artifact;PodTemplateLabel;WorkloadLabel;ImageTag;TemplateHash
type VersionSource string

const (
	// SourceArtifact: an AppRelease names the image.
	SourceArtifact VersionSource = "Artifact"
	// SourcePodTemplateLabel: the label app.kubernetes.io/version of the pod
	// template.
	SourcePodTemplateLabel VersionSource = "PodTemplateLabel"
	// SourceWorkloadLabel: the label app.kubernetes.io/version of the workload.
	SourceWorkloadLabel VersionSource = "WorkloadLabel"
	// SourceImageTag: the tag of the first container's image.
	SourceImageTag VersionSource = "ImageTag"
	// SourceTemplateHash: nothing tells a version; the hash of the pod template
	// stands for it.
	SourceTemplateHash VersionSource = "TemplateHash"
)

// AppReleaseStatus is everything known of a release.
//
// It is written by the operator alone, as a whole: who manages it is recorded once, and not for each of its fields
// (docs/adr/0007).
// +structType=atomic
type AppReleaseStatus struct {
	// conditions are Ready, BackedUp and RolledOut, and speak of the newest
	// rollout; Reconciling and Stalled only while True.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of the spec that this status speaks of.
	// +optional
	// +kubebuilder:validation:Minimum=1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// announcedGeneration is the newest generation with intent Deploy for which a
	// rollout was announced, or was open already.
	// +optional
	// +kubebuilder:validation:Minimum=1
	AnnouncedGeneration int64 `json:"announcedGeneration,omitempty"`

	// lastHandledRetryAt is the value of the annotation
	// dr.backstay.dev/retryRequestedAt that last led to another attempt at the
	// backup; at most 64 characters of it.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	LastHandledRetryAt string `json:"lastHandledRetryAt,omitempty"`

	// rollouts of this version, newest first; the newest 10. A version can be
	// rolled out more than once: by rolling back to it, or by a change of
	// configuration under the same version.
	// +optional
	// +listType=map
	// +listMapKey=number
	// +kubebuilder:validation:MaxItems=10
	Rollouts []Rollout `json:"rollouts,omitempty"`
}

// Rollout is one rollout of a release.
type Rollout struct {
	// number of the rollout, from 1 on, never reused for one release.
	// +required
	// +kubebuilder:validation:Minimum=1
	Number int32 `json:"number,omitempty"`

	// cause is how the rollout came to the operator's knowledge.
	// +required
	Cause RolloutCause `json:"cause,omitempty"`

	// previousVersion is what ran when the rollout was first seen; several
	// versions are separated by commas.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	PreviousVersion string `json:"previousVersion,omitempty"`

	// openedTime is when the rollout was first seen: when its first workload was
	// held, or the release announced.
	// +required
	OpenedTime metav1.Time `json:"openedTime,omitzero"`

	// admittedTime is when the newest of its workloads was admitted, or seen to
	// have started.
	// +optional
	AdmittedTime *metav1.Time `json:"admittedTime,omitempty"`

	// completionTime is when the rollout ended, in whatever way.
	// +optional
	CompletionTime *metav1.Time `json:"completionTime,omitempty"`

	// outcome is how it ended; absent while it goes on.
	// +optional
	Outcome RolloutOutcome `json:"outcome,omitempty"`

	// backup is the backup that the rollout waits for, or waited for.
	// +optional
	Backup *RolloutBackup `json:"backup,omitempty"`

	// workloads of the rollout, by name.
	// +optional
	// +listType=map
	// +listMapKey=group
	// +listMapKey=kind
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=100
	Workloads []RolloutWorkload `json:"workloads,omitempty"`
}

// RolloutBackup is the backup of a rollout. Its content is the state before
// the rollout.
type RolloutBackup struct {
	// name of the Backup in Velero's namespace.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name,omitempty"`

	// attempt counts the backups that were tried for this rollout, from 1 on.
	// +required
	// +kubebuilder:validation:Minimum=1
	Attempt int32 `json:"attempt,omitempty"`

	// version that the backup captures. Absent where several versions ran, or a
	// rollout was in flight: it protects no version then.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Version string `json:"version,omitempty"`

	// phase of the Backup as Velero tells it; absent until the Backup was seen.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Phase string `json:"phase,omitempty"`

	// startTime is when Velero began it.
	// +optional
	StartTime *metav1.Time `json:"startTime,omitempty"`

	// completionTime is when Velero ended it.
	// +optional
	CompletionTime *metav1.Time `json:"completionTime,omitempty"`

	// queuePosition is its place in Velero's queue, from 1 on; absent while it
	// does not queue.
	// +optional
	// +kubebuilder:validation:Minimum=1
	QueuePosition int32 `json:"queuePosition,omitempty"`

	// itemsBackedUp is how many items a backup in progress has captured so far, as
	// Velero tells it.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ItemsBackedUp *int32 `json:"itemsBackedUp,omitempty"`

	// totalItems is how many items Velero has found so far.
	// +optional
	// +kubebuilder:validation:Minimum=0
	TotalItems *int32 `json:"totalItems,omitempty"`

	// failureTime is when the latest attempt was seen to have failed.
	// +optional
	FailureTime *metav1.Time `json:"failureTime,omitempty"`

	// retryTime is when the next attempt follows on one that failed: 10 seconds
	// later at first, then after pauses that double up to 15 minutes. Absent: at
	// once.
	// +optional
	RetryTime *metav1.Time `json:"retryTime,omitempty"`
}

// Override tells who let a workload start without a backup, and why.
type Override struct {
	// user who set the annotation, as the API server authenticated them.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	User string `json:"user,omitempty"`

	// reason that they gave.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Reason string `json:"reason,omitempty"`

	// time when the operator saw it.
	// +required
	Time metav1.Time `json:"time,omitzero"`
}

// RolloutWorkload is one workload of a rollout.
type RolloutWorkload struct {
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

	// state is where it stands.
	// +required
	State WorkloadState `json:"state,omitempty"`

	// uid of the workload: one that was deleted and created again is another one.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	UID string `json:"uid,omitempty"`

	// heldSince is when it was held with this version, as the operator saw it.
	// +optional
	HeldSince *metav1.Time `json:"heldSince,omitempty"`

	// waitingSince is since when it has been held without a start in between, with
	// this version or another one before. The plan's deadlineSeconds count from
	// here.
	// +optional
	WaitingSince *metav1.Time `json:"waitingSince,omitempty"`

	// deadlineTime is when it was seen to be held beyond the plan's
	// deadlineSeconds, where onDeadline is Hold.
	// +optional
	DeadlineTime *metav1.Time `json:"deadlineTime,omitempty"`

	// templateHash identifies the pod template that rolls out.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	TemplateHash string `json:"templateHash,omitempty"`

	// failedTime is when its rollout was seen to have made no progress within
	// spec.progressDeadlineSeconds. Absent again as soon as it goes on.
	// +optional
	FailedTime *metav1.Time `json:"failedTime,omitempty"`

	// versionSource is where the version of that template was found.
	// +optional
	VersionSource VersionSource `json:"versionSource,omitempty"`

	// previousRevision names the ReplicaSet or ControllerRevision that ran before.
	// The backup contains it: applying its pod template to the restored workload
	// brings the state before the rollout back.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	PreviousRevision string `json:"previousRevision,omitempty"`

	// previousVersion is the version of that revision.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	PreviousVersion string `json:"previousVersion,omitempty"`

	// startReason is why its new revision started; absent while it is held.
	// +optional
	StartReason StartReason `json:"startReason,omitempty"`

	// override tells who let it start without a backup, and why; only where
	// startReason is Overridden.
	// +optional
	Override *Override `json:"override,omitempty"`

	// admittedGeneration is the generation of the workload that started: an older
	// one is news from before.
	// +optional
	// +kubebuilder:validation:Minimum=1
	AdmittedGeneration int64 `json:"admittedGeneration,omitempty"`
}
