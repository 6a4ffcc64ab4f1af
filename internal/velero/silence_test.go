// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package velero

import (
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/test/gen"
)

func TestVeleroIsSilentWhenItValidatesNothing(t *testing.T) {
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	validated := func(ago time.Duration, every ...time.Duration) velerov1.BackupStorageLocation {
		l := gen.Location("main")
		at := metav1.NewTime(now.Add(-ago))
		l.Status.LastValidationTime = &at
		for _, e := range every {
			l.Spec.ValidationFrequency = &metav1.Duration{Duration: e}
		}
		return *l
	}
	for name, tc := range map[string]struct {
		locations []velerov1.BackupStorageLocation
		silent    bool
		until     time.Duration // from now on
	}{
		"no location":                      {nil, false, 0},
		"never validated":                  {[]velerov1.BackupStorageLocation{*gen.Location("main")}, false, 0},
		"validated just now":               {[]velerov1.BackupStorageLocation{validated(0)}, false, 10 * time.Minute},
		"some are missing":                 {[]velerov1.BackupStorageLocation{validated(9 * time.Minute)}, false, time.Minute},
		"validated ten minutes ago":        {[]velerov1.BackupStorageLocation{validated(10 * time.Minute)}, true, 0},
		"validated once an hour":           {[]velerov1.BackupStorageLocation{validated(4*time.Hour, time.Hour)}, false, time.Hour},
		"once an hour, five hours ago":     {[]velerov1.BackupStorageLocation{validated(5*time.Hour, time.Hour)}, true, 0},
		"told not to validate":             {[]velerov1.BackupStorageLocation{validated(time.Hour, 0)}, false, 0},
		"another one was validated":        {[]velerov1.BackupStorageLocation{validated(time.Hour), validated(time.Minute)}, false, 9 * time.Minute},
		"told not to validate another one": {[]velerov1.BackupStorageLocation{validated(time.Hour), validated(0, 0)}, true, -50 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			life := LifeOf(tc.locations)
			if got := life.Silent(now); got != tc.silent {
				t.Errorf("silent: %t, want %t", got, tc.silent)
			}
			if life.Last.IsZero() != (tc.until == 0 && !tc.silent) {
				t.Errorf("last validated %s", life.Last)
			} else if got := life.Until.Sub(now); !life.Last.IsZero() && got != tc.until {
				t.Errorf("it is silent in %s, want %s", got, tc.until)
			}
		})
	}
}
