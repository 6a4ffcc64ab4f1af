// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// prune deletes releases as they were seen.
func (o *operator) prune(releases []*v1alpha1.AppRelease) error {
	for _, r := range releases {
		if err := o.write(); err != nil {
			return err
		}
		if stored := o.releases[r.Name]; stored == nil || stored.ResourceVersion != r.ResourceVersion {
			return errConflict
		}
		o.remember()
		delete(o.releases, r.Name)
		o.tell()
		o.say("operator", "prune release %s", r.Name)
	}
	return nil
}

// withdraw deletes Backups as they were seen.
func (o *operator) withdraw(backups []*velerov1.Backup) error {
	for _, b := range backups {
		if err := o.write(); err != nil {
			return err
		}
		stored := o.backups[b.Name]
		if stored == nil {
			continue
		}
		if stored.ResourceVersion != b.ResourceVersion {
			return errConflict
		}
		o.remember()
		delete(o.backups, b.Name)
		o.tell()
		o.say("operator", "withdraw backup %s", b.Name)
	}
	return nil
}
