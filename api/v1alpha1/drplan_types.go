// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// VersionPolicy says how far the running version may be from the planned one
// before the plan counts as drifted.
// +kubebuilder:validation:Enum=Exact;Patch;Minor;Major
type VersionPolicy string

const (
	// VersionPolicyExact: equal, character by character.
	VersionPolicyExact VersionPolicy = "Exact"
	// VersionPolicyPatch: the patch version may differ.
	VersionPolicyPatch VersionPolicy = "Patch"
	// VersionPolicyMinor: the minor and the patch version may differ.
	VersionPolicyMinor VersionPolicy = "Minor"
	// VersionPolicyMajor: every semantic version is tolerated.
	VersionPolicyMajor VersionPolicy = "Major"
)

// GateMode says what happens when a workload of the plan is about to roll out.
// +kubebuilder:validation:Enum=Hold;Observe;Disabled
type GateMode string

const (
	// GateModeHold: the rollout waits until a backup has Completed.
	GateModeHold GateMode = "Hold"
	// GateModeObserve: a backup is taken at the rollout, and nothing waits for it.
	GateModeObserve GateMode = "Observe"
	// GateModeDisabled: no backup, no hold.
	GateModeDisabled GateMode = "Disabled"
)

// DeadlineAction says what happens to a rollout that is still held at its
// deadline.
// +kubebuilder:validation:Enum=Hold;Release
type DeadlineAction string

const (
	// DeadlineHold: it stays held until a backup Completed or a person acts.
	DeadlineHold DeadlineAction = "Hold"
	// DeadlineRelease: it starts without a backup.
	DeadlineRelease DeadlineAction = "Release"
)

// VolumePolicy says how the content of volumes gets into a backup.
// +kubebuilder:validation:Enum=Auto;Snapshot;FileSystem;None
type VolumePolicy string

const (
	// VolumesAuto: as Velero's server and the pods' annotations say.
	VolumesAuto VolumePolicy = "Auto"
	// VolumesSnapshot: by snapshots.
	VolumesSnapshot VolumePolicy = "Snapshot"
	// VolumesFileSystem: by file-system backup through Velero's node agent.
	VolumesFileSystem VolumePolicy = "FileSystem"
	// VolumesNone: not at all; the backup holds objects only.
	VolumesNone VolumePolicy = "None"
)

// WorkloadKind is a kind of workload that a plan can hold.
// +kubebuilder:validation:Enum=Deployment;StatefulSet
type WorkloadKind string

const (
	// KindDeployment is a Deployment of apps/v1.
	KindDeployment WorkloadKind = "Deployment"
	// KindStatefulSet is a StatefulSet of apps/v1.
	KindStatefulSet WorkloadKind = "StatefulSet"
)

// GroupApps is the API group of Deployments and StatefulSets.
const GroupApps = "apps"

// DRPlanSpec is how one application is to be recovered, and for which version
// that was written.
// +kubebuilder:validation:XValidation:rule="self.versionPolicy == 'Exact' || !has(self.version) || self.version.matches('^v?(0|[1-9][0-9]*)[.](0|[1-9][0-9]*)[.](0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?([+][0-9A-Za-z.-]+)?$')",message="version must be a semantic version such as 1.4.2 when versionPolicy is Patch, Minor or Major",fieldPath=".version",reason=FieldValueInvalid
type DRPlanSpec struct {
	// version is the version of the application that this plan was written for:
	// what `kubectl get drplans` shows as PLANNED. 1 to 128 visible ASCII
	// characters, no white space. Absent: the plan follows the newest proven
	// version.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="self.matches('^[!-~]+$')",message="version must consist of visible ASCII characters without white space, such as 1.5.0-rc.1+build.7; what was pasted may hold some that nobody sees: type it anew"
	Version string `json:"version,omitempty"`

	// versionPolicy is how far the running version may be from the planned one
	// before the plan counts as drifted: Exact (the default) compares character by
	// character, Patch, Minor and Major allow a difference in that part of a
	// semantic version and below.
	// +optional
	// +default="Exact"
	VersionPolicy VersionPolicy `json:"versionPolicy,omitempty"`

	// workloads selects the workloads of the application, in the plan's own
	// namespace.
	// +required
	Workloads WorkloadSelector `json:"workloads,omitzero"`

	// gate is what happens when one of the workloads is about to roll out.
	// +optional
	// +default={}
	Gate Gate `json:"gate,omitzero"`

	// backup is how the application is backed up.
	// +optional
	// +default={}
	Backup BackupPolicy `json:"backup,omitzero"`

	// releaseHistoryLimit is how many AppReleases of the plan are kept. Beyond it
	// those are deleted of which nothing has happened for the longest; never one
	// that goes on, that is of a version in use, or whose backup protects one, nor
	// one that GitOps manages. 1 to 100, 20 by default.
	// +optional
	// +default=20
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	ReleaseHistoryLimit int32 `json:"releaseHistoryLimit,omitempty"`

	// objectives are the recovery objectives that the plan is measured by.
	// +optional
	// +default={}
	Objectives Objectives `json:"objectives,omitzero"`
}

// WorkloadSelector selects workloads by their labels. Labels only, without
// expressions, since the admission policy evaluates it.
type WorkloadSelector struct {
	// matchLabels are the labels that a workload (its own metadata, not that of
	// its pods) must carry, all of them. 1 to 16 labels.
	// +required
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(k, !format.qualifiedName().validate(k).hasValue())",message="matchLabels must have keys that are valid label keys: an optional DNS name and '/', then at most 63 letters, digits, '-', '_' and '.'"
	// +kubebuilder:validation:XValidation:rule="self.all(k, !format.labelValue().validate(self[k]).hasValue())",message="matchLabels must have values that are valid label values: at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends"
	MatchLabels map[string]LabelValue `json:"matchLabels,omitempty"`
}

// LabelValue is the value of a label.
// +kubebuilder:validation:MaxLength=63
type LabelValue string

// Gate is what happens when a workload of the plan is about to roll out.
type Gate struct {
	// mode is Hold (the default: a rollout waits until a backup has Completed),
	// Observe (a backup is taken at the rollout, nothing waits) or Disabled.
	// +optional
	// +default="Hold"
	Mode GateMode `json:"mode,omitempty"`

	// deadlineSeconds is how long a rollout may be held before onDeadline applies,
	// in seconds, counted from the moment it was held. 60 (a minute) to 604800 (a
	// week), 3600 (an hour) by default.
	// +optional
	// +default=3600
	// +kubebuilder:validation:Minimum=60
	// +kubebuilder:validation:Maximum=604800
	DeadlineSeconds int32 `json:"deadlineSeconds,omitempty"`

	// onDeadline is what happens to a rollout that is still held at its deadline:
	// Hold (the default) keeps it held, Release starts it without a backup.
	// +optional
	// +default="Hold"
	OnDeadline DeadlineAction `json:"onDeadline,omitempty"`

	// backupAttempts is after how many failed backups of one rollout a person is
	// called: its AppRelease is Stalled then, and an event says so. Attempts go on
	// for as long as something waits, with growing pauses. 1 to 10, 3 by default.
	// +optional
	// +default=3
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10
	BackupAttempts int32 `json:"backupAttempts,omitempty"`

	// restartAnnotations are further annotations of the pod template that ask for
	// a restart: a change of nothing else is no new revision, and is not held.
	// kubectl.kubernetes.io/restartedAt always is one. At most 8.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=317
	// +kubebuilder:validation:items:XValidation:rule="!format.qualifiedName().validate(self).hasValue()",message="restartAnnotations must be keys of annotations: an optional DNS name and '/', then at most 63 letters, digits, '-', '_' and '.'"
	RestartAnnotations []string `json:"restartAnnotations,omitempty"`
}

// BackupPolicy is how the application is backed up. It says nothing about what
// a backup contains: that is the plan's namespace and nothing else.
type BackupPolicy struct {
	// storageLocation names the BackupStorageLocation in Velero's namespace.
	// Absent: Velero's default. Any other must carry the label
	// allow.dr.backstay.dev/<namespace>=true, by which its administrator admits
	// the plan's namespace.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",message="storageLocation must be the name of a BackupStorageLocation: lower case letters, digits, '-' and '.'"
	StorageLocation string `json:"storageLocation,omitempty"`

	// retentionSeconds is how long Velero keeps a backup, in seconds: the TTL of
	// the Backup. 3600 (an hour) to 315360000 (ten years), 2592000 (30 days) by
	// default.
	// +optional
	// +default=2592000
	// +kubebuilder:validation:Minimum=3600
	// +kubebuilder:validation:Maximum=315360000
	RetentionSeconds int32 `json:"retentionSeconds,omitempty"`

	// volumes is how the content of volumes is captured: Auto (the default: as
	// Velero's server and the pods' annotations say), Snapshot, FileSystem, or
	// None.
	// +optional
	// +default="Auto"
	Volumes VolumePolicy `json:"volumes,omitempty"`

	// minHooks is how many of Velero's hooks must have run, at least, and none of
	// them failed, for a backup to count: in one that is Completed without them
	// the data may not be application-consistent. The hooks are those of the pods'
	// annotations; pre and post hooks count each. 1 to 1000. Absent: none need
	// run.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	MinHooks int32 `json:"minHooks,omitempty"`
}

// Objectives are the recovery objectives of the application.
type Objectives struct {
	// recoveryPointSeconds is how old the newest protecting backup may become, in
	// seconds. 60 (a minute) to 31536000 (a year), 86400 (a day) by default.
	// +optional
	// +default=86400
	// +kubebuilder:validation:Minimum=60
	// +kubebuilder:validation:Maximum=31536000
	RecoveryPointSeconds int32 `json:"recoveryPointSeconds,omitempty"`

	// recoveryTimeSeconds is how long a recovery may take, in seconds. 60 (a
	// minute) to 604800 (a week), 1800 (half an hour) by default.
	// +optional
	// +default=1800
	// +kubebuilder:validation:Minimum=60
	// +kubebuilder:validation:Maximum=604800
	RecoveryTimeSeconds int32 `json:"recoveryTimeSeconds,omitempty"`
}

// DRPlan is how one application, the workloads of one namespace that carry
// certain labels, is to be recovered, and for which version that was written.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=drp,categories=backstay
// +kubebuilder:printcolumn:name="Planned",type=string,JSONPath=`.status.versions.planned`,description="Version that the plan was written for"
// +kubebuilder:printcolumn:name="Running",type=string,JSONPath=`.status.versions.running`,description="Version that runs"
// +kubebuilder:printcolumn:name="Protected",type=string,JSONPath=`.status.versions.protected`,description="Version that the newest protecting backup captured"
// +kubebuilder:printcolumn:name="Proven",type=string,JSONPath=`.status.versions.proven`,description="Version whose backup last passed a restore drill"
// +kubebuilder:printcolumn:name="Drift",type=string,JSONPath=`.status.conditions[?(@.type=="Drifted")].reason`,description="Reason of the Drifted condition"
// +kubebuilder:printcolumn:name="Backup-Age",type=date,JSONPath=`.status.protectingBackup.completionTime`,description="Time since the newest protecting backup completed"
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Gated",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Gated")].status`,description="Whether a probe proved that rollouts are held"
// +kubebuilder:printcolumn:name="Held",type=integer,priority=1,JSONPath=`.status.heldCount`,description="Workloads that are held now"
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,description="Message of the Ready condition"
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 63",message="metadata.name must be at most 63 characters, since backups carry it as a label"
type DRPlan struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata. The name has at most 63
	// characters.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is how the application is to be recovered.
	// +required
	Spec DRPlanSpec `json:"spec,omitzero"`

	// status is what was observed.
	// +optional
	Status DRPlanStatus `json:"status,omitzero"`
}

// DRPlanList is a list of DRPlans.
// +kubebuilder:object:root=true
type DRPlanList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []DRPlan `json:"items"`
}
