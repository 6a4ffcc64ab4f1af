// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Annotations on a workload. The admission policies in config/gate set and guard them; the operator removes them.
const (
	// AnnotationHeldBy marks a held workload: "<namespace>/<plan>". It counts as a hold only together with the
	// field that holds, paused or partition, and only where the namespace is the workload's own: a copy that was restored into another
	// namespace is nobody's hold.
	AnnotationHeldBy = GroupName + "/held-by"

	// AnnotationUserPaused says "true" on a held workload that a user had paused before. Releasing the hold leaves it
	// paused.
	AnnotationUserPaused = GroupName + "/user-paused"

	// AnnotationPartition records on a held StatefulSet what its user wants of updateStrategy.rollingUpdate: the partition as a
	// number, or PartitionNone. Releasing the hold puts it back. A user who changes the partition meanwhile changes this.
	AnnotationPartition = GroupName + "/partition"

	// AnnotationOverride asks to start a rollout without a backup. Its value is the reason, at most 256 characters. It
	// takes effect in the very write that sets it, only for users who may "override" the DRPlan, and is replaced in
	// that write by AnnotationOverrideReason and AnnotationOverriddenBy.
	AnnotationOverride = GroupName + "/override"

	// AnnotationOverrideReason and AnnotationOverriddenBy say why and by whom a hold was overridden, until the
	// operator has recorded both on the release.
	AnnotationOverrideReason = GroupName + "/override-reason"
	AnnotationOverriddenBy   = GroupName + "/overridden-by"

	// AnnotationOverriddenAt is "<resourceVersion>/<plan>": what the workload had when the hold was overridden, and the plan
	// whose hold it was. It ties the two above to the one write that set them: neither `kubectl rollout undo`, which brings
	// old annotations back, nor a later change under marks that were not recorded yet passes for another override. And it
	// says what its author must have a right to.
	AnnotationOverriddenAt = GroupName + "/overridden-at"

	// AnnotationAdmitted records why the operator last released a hold, in the very write that released it: an Admission as
	// JSON. The Deployment controller copies it to the ReplicaSet that this write started. Nobody else may write it.
	AnnotationAdmitted = GroupName + "/admitted"

	// AnnotationHeldReason says on a held workload why it is still held, for `kubectl describe`:
	// "reason=<reason of the release's Ready condition> release=<AppRelease> since=<RFC 3339>". It is written once for each
	// reason, on holds of more than a few seconds. Nobody but the operator may write it.
	AnnotationHeldReason = GroupName + "/held-reason"

	// AnnotationEvaluated is the resourceVersion that a workload had when its template was last changed under the eyes of
	// the gate. It is written in namespaces that are labelled strict only, where a change without it is refused.
	AnnotationEvaluated = GroupName + "/evaluated"
)

// PartitionNone is the value of AnnotationPartition where the user has no updateStrategy.rollingUpdate at all.
const PartitionNone = "none"

// AnnotationOverrideServiceAccounts on a namespace names the ServiceAccounts whose overrides count there, as
// "namespace/name", comma-separated, at most 4096 characters. They need the verb besides. It is for whoever administers the
// namespace: of a ServiceAccount the verb alone says little, since many are bound to a role that allows everything.
const AnnotationOverrideServiceAccounts = GroupName + "/override-service-accounts"

// AnnotationRestartedAt is set on a pod template by `kubectl rollout restart`, and by the restart actions of other tools.
// A change of it alone is no new revision.
const AnnotationRestartedAt = "kubectl.kubernetes.io/restartedAt"

// Annotations on an AppRelease.
const (
	// AnnotationCreatedBy is the user who created it, as the API server authenticated them. An admission policy sets it.
	AnnotationCreatedBy = GroupName + "/created-by"

	// AnnotationRetryRequestedAt asks for another attempt at the backup at once, whenever its value changes; a time by
	// convention.
	AnnotationRetryRequestedAt = GroupName + "/retryRequestedAt"
)

// Fields by which AppReleases can be selected: kubectl get appreleases --field-selector spec.plan=shop,spec.version=1.5.0
const (
	FieldReleasePlan    = "spec.plan"
	FieldReleaseVersion = "spec.version"
)

// Labels and annotations on a Velero Backup. Labels select; annotations carry values that labels cannot hold.
const (
	// LabelCluster is the UID of the namespace kube-system where the Backup was taken. Velero finds the Backups of other
	// clusters that share a bucket: they hold another application's state, whatever they are called.
	LabelCluster = GroupName + "/cluster"

	// LabelNamespace and LabelPlan name the DRPlan that a Backup belongs to.
	LabelNamespace = GroupName + "/namespace"
	LabelPlan      = GroupName + "/plan"

	// LabelRelease identifies the release that the Backup was taken for, by its version in the form of a label value.
	LabelRelease = GroupName + "/release"

	// LabelRollout is the number of that release's rollout.
	LabelRollout = GroupName + "/rollout"

	// LabelVersion is the version that the Backup captured, in the form of a label value. Absent on a Backup that
	// captured no single settled version.
	LabelVersion = GroupName + "/version"

	// LabelMixed says "true" on a Backup that began while several versions ran, or while a rollout was in flight. It
	// protects no version.
	LabelMixed = GroupName + "/mixed"

	// AnnotationVersion and AnnotationReleaseVersion are the captured version and the release's version, verbatim.
	AnnotationVersion        = GroupName + "/version"
	AnnotationReleaseVersion = GroupName + "/release-version"

	// AnnotationFailed is when the operator recorded that this attempt failed. It stays failed, whatever its phase becomes.
	AnnotationFailed = GroupName + "/failed"

	// AnnotationTouched is when the operator last touched a Backup that Velero seemed to have forgotten.
	AnnotationTouched = GroupName + "/touched"

	// AnnotationMinHooks is how many hooks must have run for the Backup to count, as the plan asked for when it was
	// created: a Backup stays what it is when the plan changes.
	AnnotationMinHooks = GroupName + "/min-hooks"
)

// LabelAllowPrefix followed by a namespace's name is the label key by which the administrator of a
// BackupStorageLocation admits that namespace: "allow.dr.backstay.dev/shop: true". Velero's default location needs
// none.
const LabelAllowPrefix = "allow." + GroupName + "/"

// LabelGate is set on a namespace by whoever administers it, and its only value is GateStrict: while the gate is not
// ready, after a restart of the API server for example, no template of a workload is changed in this namespace. Without
// it such a change goes through, and what escaped is reported and backed up at once.
const (
	LabelGate  = GroupName + "/gate"
	GateStrict = "strict"
)

// VerbOverride is the RBAC verb on drplans that allows to release a hold without a backup.
const VerbOverride = "override"

// VerbAttest is the RBAC verb on drplans that allows to say in an AppRelease which images and data a version is, for those who
// may not deploy: a pipeline that only builds.
const VerbAttest = "attest"

// MaxPlans is how many plans one namespace may have: each costs every write of a workload there a little.
const MaxPlans = 100

// MaxWorkloads is how many workloads one plan may select.
const MaxWorkloads = 100
