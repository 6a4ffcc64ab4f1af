// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ReleaseIntent says why an AppRelease was created.
// +kubebuilder:validation:Enum=Deploy;Record
type ReleaseIntent string

const (
	// IntentDeploy: the version is about to roll out; back up now.
	IntentDeploy ReleaseIntent = "Deploy"
	// IntentRecord: a build exists; nothing is to be done until it rolls out.
	IntentRecord ReleaseIntent = "Record"
)

// AppReleaseSpec is the fact that a version of an application exists.
type AppReleaseSpec struct {
	// plan names the DRPlan of the application, in the same namespace. 1 to 63 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",message="plan must be the name of a DRPlan: lower case letters, digits, '-' and '.'"
	Plan string `json:"plan,omitempty"`

	// version of the application. 1 to 128 characters without white space.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="!self.matches('[[:space:][:cntrl:]]')",message="version must not contain white space"
	Version string `json:"version,omitempty"`

	// intent is Deploy (the version is about to roll out: back up now, before any workload changes) or Record (the
	// default: a build exists, nothing is done until it rolls out).
	// +optional
	// +default="Record"
	Intent ReleaseIntent `json:"intent,omitempty"`

	// artifacts are the images that make up this version. A workload that runs one of them runs this version. At most
	// 50, each image once.
	// +optional
	// +listType=map
	// +listMapKey=image
	// +kubebuilder:validation:MaxItems=50
	Artifacts []Artifact `json:"artifacts,omitempty"`

	// source is what the version was built from.
	// +optional
	Source *ReleaseSource `json:"source,omitempty"`

	// dataVersion is the schema version of the data that this version of the application writes. At most 128
	// characters.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	DataVersion string `json:"dataVersion,omitempty"`

	// dataCompatibility lists the data versions that this version of the application can run on, its own included. At
	// most 16. Absent: not known.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	DataCompatibility []string `json:"dataCompatibility,omitempty"`
}

// Artifact is an image that is part of a version.
type Artifact struct {
	// image is the reference of the image, as the workload names it, with or without its tag. 1 to 512 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="!self.matches('[[:space:][:cntrl:]]')",message="image must not contain white space"
	Image string `json:"image,omitempty"`

	// digest of the image. A workload that names the image by digest is matched by it first.
	// +optional
	// +kubebuilder:validation:MinLength=71
	// +kubebuilder:validation:MaxLength=71
	// +kubebuilder:validation:XValidation:rule="self.matches('^sha256:[a-f0-9]{64}$')",message="digest must be sha256: followed by 64 hexadecimal digits in lower case"
	Digest string `json:"digest,omitempty"`
}

// ReleaseSource is what a version was built from.
type ReleaseSource struct {
	// revision is the commit. At most 128 characters.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Revision string `json:"revision,omitempty"`

	// url of the page that tells of the build. At most 2048 characters, http or https.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['http', 'https']",message="url must be an http or https address"
	URL string `json:"url,omitempty"`

	// builder is what built it, jenkins for example. At most 128 characters.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Builder string `json:"builder,omitempty"`
}

// RolloutCause says how a rollout came to the operator's knowledge.
// +kubebuilder:validation:Enum=Ahead;Held;Observed;Escaped
type RolloutCause string

const (
	// CauseAhead: a release with intent Deploy announced it, before any workload changed.
	CauseAhead RolloutCause = "Ahead"
	// CauseHeld: the gate held a workload.
	CauseHeld RolloutCause = "Held"
	// CauseObserved: a workload rolled out and the gate was not to hold it, or could not.
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
// +kubebuilder:validation:Enum=Held;Released;RolledOut;Superseded;Reverted;Abandoned
type WorkloadState string

const (
	// WorkloadHeld: its new revision must not start yet.
	WorkloadHeld WorkloadState = "Held"
	// WorkloadReleased: its new revision was let go, or started by itself, and is rolling out.
	WorkloadReleased WorkloadState = "Released"
	// WorkloadRolledOut: its new revision runs.
	WorkloadRolledOut WorkloadState = "RolledOut"
	// WorkloadSuperseded: it belongs to a newer rollout now.
	WorkloadSuperseded WorkloadState = "Superseded"
	// WorkloadReverted: the change was taken back before it started.
	WorkloadReverted WorkloadState = "Reverted"
	// WorkloadAbandoned: it is gone, or the plan selects it no more.
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
	// StartDeadlinePassed: it was held up to its deadline, and onDeadline is Release.
	StartDeadlinePassed StartReason = "DeadlinePassed"
	// StartModeChanged: the plan's gate mode became Observe or Off while it was held.
	StartModeChanged StartReason = "ModeChanged"
	// StartNotHeld: it started without having been held.
	StartNotHeld StartReason = "NotHeld"
)

// VersionSource is where the version of a workload was found.
// +kubebuilder:validation:Enum=Artifact;PodTemplateLabel;WorkloadLabel;ImageTag;TemplateHash
type VersionSource string

const (
	// SourceArtifact: an AppRelease names the image.
	SourceArtifact VersionSource = "Artifact"
	// SourcePodTemplateLabel: the label app.kubernetes.io/version of the pod template.
	SourcePodTemplateLabel VersionSource = "PodTemplateLabel"
	// SourceWorkloadLabel: the label app.kubernetes.io/version of the workload.
	SourceWorkloadLabel VersionSource = "WorkloadLabel"
	// SourceImageTag: the tag of the first container's image.
	SourceImageTag VersionSource = "ImageTag"
	// SourceTemplateHash: nothing tells a version; the hash of the pod template stands for it.
	SourceTemplateHash VersionSource = "TemplateHash"
)

// AppReleaseStatus is everything known of a release.
type AppReleaseStatus struct {
	// conditions are Ready, BackedUp and RolledOut, and speak of the newest rollout; Reconciling and Stalled only
	// while True.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of the spec that this status speaks of.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// rollouts of this version, newest first; the newest 10. A version can be rolled out more than once: by rolling
	// back to it, or by a change of configuration under the same version.
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

	// previousVersion is what ran when the rollout was first seen; several versions are separated by commas.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	PreviousVersion string `json:"previousVersion,omitempty"`

	// startTime is when the rollout was first seen: when its first workload was held, or the release announced.
	// +required
	StartTime metav1.Time `json:"startTime,omitzero"`

	// releasedTime is when the newest of its workloads was released, or seen to have started.
	// +optional
	ReleasedTime *metav1.Time `json:"releasedTime,omitempty"`

	// completionTime is when the rollout ended, in whatever way.
	// +optional
	CompletionTime *metav1.Time `json:"completionTime,omitempty"`

	// outcome is how it ended; absent while it goes on.
	// +optional
	Outcome RolloutOutcome `json:"outcome,omitempty"`

	// backup is the backup that the rollout waits for, or waited for.
	// +optional
	Backup *RolloutBackup `json:"backup,omitempty"`

	// override tells who let the rollout start without a backup, and why.
	// +optional
	Override *Override `json:"override,omitempty"`

	// workloads of the rollout, by name.
	// +optional
	// +listType=map
	// +listMapKey=kind
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=100
	Workloads []RolloutWorkload `json:"workloads,omitempty"`
}

// RolloutBackup is the backup of a rollout. Its content is the state before the rollout.
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

	// version that the backup captures. Absent where several versions ran, or a rollout was in flight: it protects no
	// version then.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Version string `json:"version,omitempty"`

	// phase of the Backup as Velero tells it; absent until the Backup was seen.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Phase string `json:"phase,omitempty"`

	// startTime is when Velero began it.
	// +optional
	StartTime *metav1.Time `json:"startTime,omitempty"`

	// completionTime is when Velero ended it.
	// +optional
	CompletionTime *metav1.Time `json:"completionTime,omitempty"`

	// queuePosition is its place in Velero's queue, from 1 on; absent while it does not queue.
	// +optional
	// +kubebuilder:validation:Minimum=1
	QueuePosition *int32 `json:"queuePosition,omitempty"`

	// itemsBackedUp and totalItems are the progress of a backup in progress, as Velero tells it.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ItemsBackedUp *int32 `json:"itemsBackedUp,omitempty"`

	// totalItems is how many items Velero has found so far.
	// +optional
	// +kubebuilder:validation:Minimum=0
	TotalItems *int32 `json:"totalItems,omitempty"`

	// failureTime is when the latest attempt was seen to have failed; the next one follows a while later.
	// +optional
	FailureTime *metav1.Time `json:"failureTime,omitempty"`
}

// Override tells who let a rollout start without a backup, and why.
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
	// +kubebuilder:validation:MaxLength=64
	UID string `json:"uid,omitempty"`

	// heldSince is when it was held, as the operator saw it. The plan's deadlineSeconds count from here.
	// +optional
	HeldSince *metav1.Time `json:"heldSince,omitempty"`

	// templateHash identifies the pod template that rolls out.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	TemplateHash string `json:"templateHash,omitempty"`

	// versionSource is where the version of that template was found.
	// +optional
	VersionSource VersionSource `json:"versionSource,omitempty"`

	// previousRevision names the ReplicaSet that ran before. The backup contains it: applying its pod template to the
	// restored workload brings the state before the rollout back.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	PreviousRevision string `json:"previousRevision,omitempty"`

	// previousVersion is the version of that revision.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	PreviousVersion string `json:"previousVersion,omitempty"`

	// startReason is why its new revision started; absent while it is held.
	// +optional
	StartReason StartReason `json:"startReason,omitempty"`

	// releasedGeneration is the generation of the workload that started: an older one is news from before.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ReleasedGeneration int64 `json:"releasedGeneration,omitempty"`
}

// AppRelease is one version of one application and everything known of it. Its identity is its namespace, plan and
// version, never its UID: deleted and created again it finds its backups again.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=apprel,categories=backstay
// +kubebuilder:printcolumn:name="Plan",type=string,JSONPath=`.spec.plan`,description="DRPlan of the application"
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.spec.version`,description="Version of the application"
// +kubebuilder:printcolumn:name="Previous",type=string,JSONPath=`.status.rollouts[0].previousVersion`,description="Version that ran before its newest rollout"
// +kubebuilder:printcolumn:name="Backup",type=string,JSONPath=`.status.rollouts[0].backup.phase`,description="Phase of the backup of its newest rollout"
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Reason of the Ready condition"
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.status.rollouts[0].startTime`,description="Time since its newest rollout began"
// +kubebuilder:printcolumn:name="Backup-Name",type=string,priority=1,JSONPath=`.status.rollouts[0].backup.name`,description="Backup of its newest rollout"
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,description="Message of the Ready condition"
type AppRelease struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is the fact that the version exists. It is immutable.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="spec is immutable, since it records a fact: create another AppRelease for another version"
	Spec AppReleaseSpec `json:"spec,omitzero"`

	// status is everything known of it.
	// +optional
	Status AppReleaseStatus `json:"status,omitzero"`
}

// AppReleaseList is a list of AppReleases.
// +kubebuilder:object:root=true
type AppReleaseList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []AppRelease `json:"items"`
}
