// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/test/gen"
)

// An operator whose cache does not show its own mark yet marks the Backup again. Admission refuses another time than the first.
func TestFailedBackupIsMarkedWithTheSameTimeHoweverOften(t *testing.T) {
	at := metav1.NewTime(time.Unix(1e9, 0))
	r := gen.Release("shop", "1.5.0")
	r.Status.Rollouts = []v1alpha1.Rollout{{Number: 1, Backup: &v1alpha1.RolloutBackup{Name: "b", Phase: "Failed", FailureTime: &at}}}
	for _, later := range []time.Duration{0, time.Second, time.Minute} {
		f := facts.Of(facts.Input{
			Now: at.Add(later), Plan: gen.Plan("shop"), Releases: []*v1alpha1.AppRelease{r}, Backups: map[string]*velerov1.Backup{"b": {ObjectMeta: metav1.ObjectMeta{Name: "b"}}},
		})
		if got := Failed(f, records.Copy(f))["b"]; !got.Equal(at.Time) {
			t.Errorf("%s later it is marked with %s", later, got)
		}
	}
}
