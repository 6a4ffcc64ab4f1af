// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gen

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// DefaultPlan is the part-of label of a Deployment, and thereby the plan that selects it.
const DefaultPlan = "shop"

// Labels that Kubernetes recommends.
const (
	LabelPartOf  = "app.kubernetes.io/part-of"
	LabelVersion = "app.kubernetes.io/version"
)

// PlanOption changes a DRPlan.
type PlanOption interface{ applyPlan(*v1alpha1.DRPlan) }

type planOption func(*v1alpha1.DRPlan)

func (f planOption) applyPlan(p *v1alpha1.DRPlan) { f(p) }

// Plan is a DRPlan with the defaults of the API, which selects the workloads whose part-of label is its name.
func Plan(name string, options ...PlanOption) *v1alpha1.DRPlan {
	p := &v1alpha1.DRPlan{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "DRPlan"},
		ObjectMeta: metav1.ObjectMeta{Namespace: DefaultNamespace, Name: name, UID: types.UID("uid-plan-" + name), Generation: 1, ResourceVersion: "1"},
		Spec: v1alpha1.DRPlanSpec{
			VersionPolicy: v1alpha1.VersionPolicyExact,
			Workloads:     v1alpha1.WorkloadSelector{MatchLabels: map[string]v1alpha1.LabelValue{LabelPartOf: v1alpha1.LabelValue(name)}},
			Gate: v1alpha1.Gate{
				Mode: v1alpha1.GateModeHold, DeadlineSeconds: 3600, OnDeadline: v1alpha1.DeadlineHold, BackupAttempts: 3,
			},
			Backup:              v1alpha1.BackupPolicy{RetentionSeconds: 2592000, Volumes: v1alpha1.VolumesAuto},
			ReleaseHistoryLimit: 20,
			Objectives:          v1alpha1.Objectives{RecoveryPointSeconds: 86400, RecoveryTimeSeconds: 1800},
		},
	}
	for _, o := range options {
		o.applyPlan(p)
	}
	return p
}

// HistoryLimit sets how many releases are kept.
func HistoryLimit(n int32) PlanOption {
	return planOption(func(p *v1alpha1.DRPlan) { p.Spec.ReleaseHistoryLimit = n })
}

// Planned sets the version that the plan was written for.
func Planned(version string) PlanOption {
	return planOption(func(p *v1alpha1.DRPlan) { p.Spec.Version = version })
}

// VersionPolicy sets how far the running version may be from it.
func VersionPolicy(policy v1alpha1.VersionPolicy) PlanOption {
	return planOption(func(p *v1alpha1.DRPlan) { p.Spec.VersionPolicy = policy })
}

// Selects makes the plan select by this label, and no other.
func Selects(key, value string) PlanOption {
	return planOption(func(p *v1alpha1.DRPlan) {
		p.Spec.Workloads.MatchLabels = map[string]v1alpha1.LabelValue{key: v1alpha1.LabelValue(value)}
	})
}

// Mode sets the gate's mode.
func Mode(mode v1alpha1.GateMode) PlanOption {
	return planOption(func(p *v1alpha1.DRPlan) { p.Spec.Gate.Mode = mode })
}

// Deadline sets how long a rollout may be held, and what happens then.
func Deadline(seconds int32, action v1alpha1.DeadlineAction) PlanOption {
	return planOption(func(p *v1alpha1.DRPlan) { p.Spec.Gate.DeadlineSeconds, p.Spec.Gate.OnDeadline = seconds, action })
}

// BackupAttempts sets how many backups are tried for one rollout.
func BackupAttempts(n int32) PlanOption {
	return planOption(func(p *v1alpha1.DRPlan) { p.Spec.Gate.BackupAttempts = n })
}

// RestartAnnotations sets the further annotations of pod templates that mean a restart.
func RestartAnnotations(keys ...string) PlanOption {
	return planOption(func(p *v1alpha1.DRPlan) { p.Spec.Gate.RestartAnnotations = keys })
}

// RecoveryPoint sets the recovery point objective in seconds.
func RecoveryPoint(seconds int32) PlanOption {
	return planOption(func(p *v1alpha1.DRPlan) { p.Spec.Objectives.RecoveryPointSeconds = seconds })
}

// StorageLocation sets the storage location that backups go to.
func StorageLocation(name string) PlanOption {
	return planOption(func(p *v1alpha1.DRPlan) { p.Spec.Backup.StorageLocation = name })
}

// Volumes sets how the content of volumes is captured.
func Volumes(policy v1alpha1.VolumePolicy) PlanOption {
	return planOption(func(p *v1alpha1.DRPlan) { p.Spec.Backup.Volumes = policy })
}

// PlanStatus sets the status.
func PlanStatus(status v1alpha1.DRPlanStatus) PlanOption {
	return planOption(func(p *v1alpha1.DRPlan) { p.Status = status })
}
