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
	// plan names the DRPlan of the application, in the same namespace. 1 to 63
	// characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",message="plan must be the name of a DRPlan: lower case letters, digits, '-' and '.'"
	Plan string `json:"plan,omitempty"`

	// version of the application. 1 to 128 visible ASCII characters, no white
	// space.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="self.matches('^[!-~]+$')",message="version must consist of visible ASCII characters without white space, such as 1.5.0-rc.1+build.7; what was pasted may hold some that nobody sees: type it anew"
	Version string `json:"version,omitempty"`

	// intent is Deploy (the version is about to roll out: back up now, before any
	// workload changes) or Record (the default: a build exists, nothing is done
	// until it rolls out). It may change: each change to Deploy announces a
	// rollout, whether the version has rolled out before or not.
	// +optional
	// +default="Record"
	Intent ReleaseIntent `json:"intent,omitempty"`

	// artifacts are the images that make up this version. A workload that runs one
	// of them runs this version. At most 50, each image once.
	// +optional
	// +listType=map
	// +listMapKey=image
	// +kubebuilder:validation:MaxItems=50
	Artifacts []Artifact `json:"artifacts,omitempty"`

	// source is what the version was built from.
	// +optional
	Source *ReleaseSource `json:"source,omitempty"`

	// dataVersion is the schema version of the data that this version of the
	// application writes. At most 128 visible ASCII characters, no white space.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="self.matches('^[!-~]+$')",message="dataVersion must consist of visible ASCII characters without white space; what was pasted may hold some that nobody sees: type it anew"
	DataVersion string `json:"dataVersion,omitempty"`

	// dataCompatibility lists the data versions that this version of the
	// application can run on, its own included. At most 16. Absent: not known.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[!-~]+$')",message="a data version must consist of visible ASCII characters without white space; what was pasted may hold some that nobody sees: type it anew"
	DataCompatibility []string `json:"dataCompatibility,omitempty"`
}

// Artifact is an image that is part of a version.
type Artifact struct {
	// image is the reference of the image. References compare in their full form:
	// nginx is docker.io/library/nginx:latest. 1 to 512 visible ASCII characters,
	// no white space.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^[!-~]+$')",message="image must consist of visible ASCII characters without white space; what was pasted may hold some that nobody sees: type it anew"
	Image string `json:"image,omitempty"`

	// digest of the image. A workload that names the image by digest is matched by
	// it first.
	// +optional
	// +kubebuilder:validation:MinLength=71
	// +kubebuilder:validation:MaxLength=71
	// +kubebuilder:validation:XValidation:rule="self.matches('^sha256:[a-f0-9]{64}$')",message="digest must be sha256: followed by 64 hexadecimal digits in lower case"
	Digest string `json:"digest,omitempty"`
}

// ReleaseSource is what a version was built from.
type ReleaseSource struct {
	// revision is the commit. At most 128 visible ASCII characters, no white
	// space.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="self.matches('^[!-~]+$')",message="revision must consist of visible ASCII characters without white space; what was pasted may hold some that nobody sees: type it anew"
	Revision string `json:"revision,omitempty"`

	// url of the page that tells of the build. At most 2048 visible ASCII
	// characters, http or https.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['http', 'https']",message="url must be an http or https address"
	// +kubebuilder:validation:XValidation:rule="self.matches('^[!-~]+$')",message="url must consist of visible ASCII characters: encode others by percent signs"
	URL string `json:"url,omitempty"`

	// builder is what built it, jenkins for example. At most 128 visible ASCII
	// characters and blanks.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="self.matches('^[ -~]+$')",message="builder must consist of visible ASCII characters and blanks; what was pasted may hold some that nobody sees: type it anew"
	Builder string `json:"builder,omitempty"`
}

// AppRelease is one version of one application and everything known of it. Its
// identity is its namespace, plan and version, never its UID: deleted and
// created again it finds its backups again.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=apprel,categories=backstay
// +kubebuilder:selectablefield:JSONPath=`.spec.plan`
// +kubebuilder:selectablefield:JSONPath=`.spec.version`
// +kubebuilder:printcolumn:name="Plan",type=string,JSONPath=`.spec.plan`,description="DRPlan of the application"
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.spec.version`,description="Version of the application"
// +kubebuilder:printcolumn:name="Previous",type=string,JSONPath=`.status.rollouts[0].previousVersion`,description="Version that ran before its newest rollout"
// +kubebuilder:printcolumn:name="Backup",type=string,JSONPath=`.status.rollouts[0].backup.phase`,description="Phase of the backup of its newest rollout"
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Reason of the Ready condition"
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.status.rollouts[0].openedTime`,description="Time since its newest rollout began"
// +kubebuilder:printcolumn:name="Backup-Name",type=string,priority=1,JSONPath=`.status.rollouts[0].backup.name`,description="Backup of its newest rollout"
// +kubebuilder:printcolumn:name="Created-By",type=string,priority=1,JSONPath=`.metadata.annotations.dr\.backstay\.dev/created-by`,description="User who created it, as the API server authenticated them"
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,description="Message of the Ready condition"
type AppRelease struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is the fact that the version exists. It is immutable but for its
	// intent.
	// +required
	// +kubebuilder:validation:XValidation:rule="self.plan == oldSelf.plan && self.version == oldSelf.version && has(self.artifacts) == has(oldSelf.artifacts) && (!has(self.artifacts) || self.artifacts == oldSelf.artifacts) && has(self.source) == has(oldSelf.source) && (!has(self.source) || self.source == oldSelf.source) && has(self.dataVersion) == has(oldSelf.dataVersion) && (!has(self.dataVersion) || self.dataVersion == oldSelf.dataVersion) && has(self.dataCompatibility) == has(oldSelf.dataCompatibility) && (!has(self.dataCompatibility) || self.dataCompatibility == oldSelf.dataCompatibility)",message="spec must stay as it is but for intent, since it records a fact: create another AppRelease for another version"
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
