// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Condition types. Every type is reported from the first visit on; ConditionReconciling and ConditionStalled are
// present only while True (kstatus).
const (
	// ConditionReady is True when the object is processed and nothing needs a person. Positive polarity. On a DRPlan
	// drift does not make it False: whoever waits for Ready must not hang on drift.
	ConditionReady = "Ready"

	// ConditionReconciling is True while the controller works towards Ready.
	ConditionReconciling = "Reconciling"

	// ConditionStalled is True when nothing will change until a person acts.
	ConditionStalled = "Stalled"

	// ConditionGated is True when a probe proved that the gate holds the plan's workloads. Positive polarity. DRPlan.
	ConditionGated = "Gated"

	// ConditionDrifted is True when the version that runs is not the one the plan was written for. Negative polarity.
	// DRPlan.
	ConditionDrifted = "Drifted"

	// ConditionCovered is True when every volume of the application is in its backups. Positive polarity. DRPlan.
	ConditionCovered = "Covered"

	// ConditionProtected is True when the newest protecting backup is younger than the recovery point objective.
	// Positive polarity. DRPlan.
	ConditionProtected = "Protected"

	// ConditionProven is True when a restore drill passed. Positive polarity. DRPlan.
	ConditionProven = "Proven"

	// ConditionBackedUp is True when the backup of the newest rollout is Completed. Positive polarity. AppRelease.
	ConditionBackedUp = "BackedUp"

	// ConditionRolledOut is True when the newest rollout of the release ended with its workloads on this version; another
	// version may run since. Positive polarity. AppRelease.
	ConditionRolledOut = "RolledOut"
)

// Reasons that several conditions share.
const (
	// ReasonNotImplemented: this version of Backstay cannot tell yet. Status Unknown.
	ReasonNotImplemented = "NotImplemented"

	// ReasonNoWorkloads: the plan selects no workload. Status Unknown.
	ReasonNoWorkloads = "NoWorkloads"

	// ReasonTooManyWorkloads: the plan selects more than MaxWorkloads workloads. Ready of the plan and of its releases
	// False, and Stalled; the other conditions of the releases Unknown.
	ReasonTooManyWorkloads = "TooManyWorkloads"

	// ReasonEscaped: a rollout started that was to be held. Ready of the plan and of the release False until its backup
	// is Completed.
	ReasonEscaped = "Escaped"

	// ReasonRolloutFailed: a rollout made no progress within the progress deadline of its workload. Ready of the plan, Ready and
	// RolledOut of the release False, and the release Stalled, until it goes on.
	ReasonRolloutFailed = "RolloutFailed"
)

// Reasons of ConditionReady on a DRPlan. What keeps the gate from being in force is a reason too, and so are
// BackupFailed, Restored and NotRecorded of what is held.
const (
	// ReasonReconciled: the plan is processed and nothing needs a person. True.
	ReasonReconciled = "Reconciled"

	// ReasonOverlappingPlans: another DRPlan selects some of the same workloads. False. Of Gated: other plans move all of
	// them. Unknown. Of a release that is announced: likewise, and no backup is taken for it. False.
	ReasonOverlappingPlans = "OverlappingPlans"

	// ReasonDeadlinePassed: something is held beyond spec.gate.deadlineSeconds, where onDeadline is Hold. False.
	ReasonDeadlinePassed = "DeadlinePassed"

	// ReasonNamespaceTerminating: the namespace is being deleted. False. Of Gated: Unknown.
	ReasonNamespaceTerminating = "NamespaceTerminating"
)

// Reasons of ConditionGated.
const (
	// ReasonProbeHeld: a dry run of a changed template came back held. True.
	ReasonProbeHeld = "ProbeHeld"

	// ReasonProbeNotHeld: a dry run of a changed template came back not held; tried again. False.
	ReasonProbeNotHeld = "ProbeNotHeld"

	// ReasonProbeFailed: the dry run itself was refused; tried again. False.
	ReasonProbeFailed = "ProbeFailed"

	// ReasonPolicyMissing: an admission policy or binding of config/gate is not installed. False.
	ReasonPolicyMissing = "PolicyMissing"

	// ReasonPolicyAltered: an admission policy or binding differs from the one this version ships. False.
	ReasonPolicyAltered = "PolicyAltered"

	// ReasonClusterTooOld: the cluster does not serve MutatingAdmissionPolicy v1 (Kubernetes 1.36). False.
	ReasonClusterTooOld = "ClusterTooOld"

	// ReasonModeObserve: spec.gate.mode is Observe: rollouts are backed up, and not held. False.
	ReasonModeObserve = "ModeObserve"
	// ReasonModeDisabled: spec.gate.mode is Disabled: rollouts are neither held nor backed up. False.
	ReasonModeDisabled = "ModeDisabled"
)

// Reasons of ConditionDrifted.
const (
	// ReasonInSync: what runs is what is planned, as far as versionPolicy asks. False.
	ReasonInSync = "InSync"

	// ReasonVersionBehind: the planned version is behind the running one. True.
	ReasonVersionBehind = "VersionBehind"

	// ReasonVersionAhead: the planned version is ahead of the running one. True.
	ReasonVersionAhead = "VersionAhead"

	// ReasonVersionDiffers: the versions differ and have no order, since one is not a semantic version. True.
	ReasonVersionDiffers = "VersionDiffers"

	// ReasonMixedVersions: the workloads run several versions. True.
	ReasonMixedVersions = "MixedVersions"

	// ReasonVersionUnknown: a workload tells no version. Unknown.
	ReasonVersionUnknown = "VersionUnknown"

	// ReasonNothingPlanned: the plan names no version, and none is proven yet. Unknown.
	ReasonNothingPlanned = "NothingPlanned"
)

// Reasons of ConditionProtected.
const (
	// ReasonWithinObjective: the newest protecting backup is younger than recoveryPointSeconds. True.
	ReasonWithinObjective = "WithinObjective"

	// ReasonBackupTooOld: it is older. False.
	ReasonBackupTooOld = "BackupTooOld"

	// ReasonNoBackup: there is none. False.
	ReasonNoBackup = "NoBackup"
)

// Reasons of ConditionReady, ConditionBackedUp and ConditionRolledOut on an AppRelease. The reason of Ready is what
// `kubectl get appreleases` shows as STATUS.
const (
	// ReasonRecorded: intent Record, and nothing of it has rolled out. Ready True, the others Unknown.
	ReasonRecorded = "Recorded"

	// ReasonPlanNotFound: the namespace has no DRPlan of that name. Ready False, the others Unknown.
	ReasonPlanNotFound = "PlanNotFound"

	// ReasonDuplicate: an older AppRelease stands for the same plan and version. Ready False, and Stalled; the others
	// Unknown.
	ReasonDuplicate = "Duplicate"

	// ReasonGateDisabled: intent Deploy, and the plan's gate is Disabled: no backup is taken. Ready False, and Stalled.
	ReasonGateDisabled = "GateDisabled"

	// ReasonWaitingForRollout: another rollout of the plan has its backup taken first, or too many backups of the namespace are
	// under way.
	ReasonWaitingForRollout = "WaitingForRollout"

	// ReasonStorageLocationUnavailable: the backup storage location cannot take a backup now. Of a plan, too: Ready False,
	// though nothing is held.
	ReasonStorageLocationUnavailable = "StorageLocationUnavailable"

	// ReasonVeleroNotResponding: Velero has not picked up the backup. Of a plan: it has validated no storage location for ten
	// minutes or more. Ready False.
	ReasonVeleroNotResponding = "VeleroNotResponding"

	// ReasonBackupPending: the backup is about to be created, or to be picked up by Velero.
	ReasonBackupPending = "BackupPending"

	// ReasonBackupQueued: the backup waits in Velero's queue.
	ReasonBackupQueued = "BackupQueued"

	// ReasonBackupInProgress: Velero is taking the backup.
	ReasonBackupInProgress = "BackupInProgress"

	// ReasonBackupRetrying: an attempt failed, another follows after a pause.
	ReasonBackupRetrying = "BackupRetrying"

	// ReasonBackupFailed: as many attempts failed as spec.gate.backupAttempts. Stalled: a person should look. Attempts go on.
	ReasonBackupFailed = "BackupFailed"

	// ReasonBackupCompleted: the backup is Completed; with intent Deploy the rollout may follow. Ready and BackedUp True.
	ReasonBackupCompleted = "BackupCompleted"

	// ReasonNotBackedUp: the rollout ended, or was released, without a Completed backup. BackedUp False.
	ReasonNotBackedUp = "NotBackedUp"

	// ReasonHeld: the workloads wait for the backup. RolledOut False.
	ReasonHeld = "Held"

	// ReasonNotStarted: no workload has changed yet. RolledOut False; BackedUp and RolledOut Unknown where no rollout was
	// announced either.
	ReasonNotStarted = "NotStarted"

	// ReasonRollingOut: the workloads were released and are rolling out. Ready and RolledOut False.
	ReasonRollingOut = "RollingOut"

	// ReasonNotRecorded: in status.held of a plan: no AppRelease records it yet. If that lasts, the plan is not Ready for
	// this reason: the API server refuses one, by a quota for example; an event on the plan has its answer.
	ReasonNotRecorded = "NotRecorded"

	// ReasonRestored: in status.held of a plan, which is not Ready for this reason: the workload was created as it is held,
	// by a restore. It waits for a person, since the backup holds the change that was held and not the state before it.
	ReasonRestored = "Restored"

	// ReasonPaused: nothing but the pause of a user keeps it from starting, or from rolling out. Ready and RolledOut
	// False.
	ReasonPaused = "Paused"

	// ReasonRolledOut: every workload runs this version. Ready and RolledOut True.
	ReasonRolledOut = "RolledOut"

	// ReasonSuperseded: another rollout took the workloads over. Ready and RolledOut False, and Stalled.
	ReasonSuperseded = "Superseded"

	// ReasonReverted: the change was taken back before it started. Ready and RolledOut False, and Stalled.
	ReasonReverted = "Reverted"

	// ReasonAbandoned: the workloads are gone, or the plan selects them no more. Ready and RolledOut False, and Stalled.
	ReasonAbandoned = "Abandoned"
)
