// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package records

import (
	"reflect"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// Whatever field of a record differs, the status is written: a field that is added later too.
func TestStatusesWhoseRecordsDifferAreNotTheSame(t *testing.T) {
	at := metav1.NewTime(time.Unix(1000, 0))
	with := func(rec v1alpha1.RolloutWorkload) *v1alpha1.AppReleaseStatus {
		return &v1alpha1.AppReleaseStatus{Rollouts: []v1alpha1.Rollout{{Number: 1, Workloads: []v1alpha1.RolloutWorkload{rec}}}}
	}
	full := v1alpha1.RolloutWorkload{
		Name: "web", HeldSince: &at, WaitingSince: &at, FailedTime: &at, DeadlineTime: &at, Override: &v1alpha1.Override{User: "jo", Reason: "fire"},
	}
	if !Same(with(full), with(*full.DeepCopy())) {
		t.Error("a copy is not the same")
	}
	for i := range reflect.TypeFor[v1alpha1.RolloutWorkload]().NumField() {
		changed := *full.DeepCopy()
		field := reflect.ValueOf(&changed).Elem().Field(i)
		switch field.Kind() {
		case reflect.String:
			field.SetString(field.String() + "x")
		case reflect.Int64, reflect.Int32:
			field.SetInt(field.Int() + 1)
		default:
			field.SetZero()
		}
		if Same(with(full), with(changed)) {
			t.Errorf("%s does not count", reflect.TypeFor[v1alpha1.RolloutWorkload]().Field(i).Name)
		}
	}
	other := with(full)
	other.Rollouts[0].Number = 2
	if Same(with(full), other) || Same(with(full), &v1alpha1.AppReleaseStatus{}) {
		t.Error("the rest of a rollout does not count")
	}
	if other = with(full); other.Rollouts[0].Workloads == nil {
		t.Error("what was compared was changed")
	}
}
