// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package velero

import (
	"fmt"
	"maps"
	"strings"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// DefaultLocation picks the location that Velero uses when a Backup names none.
func DefaultLocation(locations []velerov1.BackupStorageLocation) *velerov1.BackupStorageLocation {
	for i := range locations {
		if locations[i].Spec.Default {
			return &locations[i]
		}
	}
	return nil
}

// LocationProblem tells why a storage location cannot take a backup of the namespace now, and what to do; "" when it
// can. Velero fails a Backup for such a location at once and never tries it again, so it must not be created. name is
// what the plan asks for, "" for the default; location is nil where there is none. Tenants read it: it tells neither which
// locations there are that do not admit them, nor what the storage answered.
func LocationProblem(location *velerov1.BackupStorageLocation, name, namespace string) string {
	switch {
	case location == nil && name == "":
		return "Velero has no default BackupStorageLocation: " +
			"mark one with spec.default=true, or name one in the plan's spec.backup.storageLocation"
	case location == nil, name != "" && !location.Spec.Default && location.Labels[v1alpha1.LabelAllowPrefix+namespace] != "true":
		return fmt.Sprintf("Velero has no BackupStorageLocation %s that admits namespace %s: its administrator admits it by the label %s%s=true; "+
			"or correct the plan's spec.backup.storageLocation", name, namespace, v1alpha1.LabelAllowPrefix, namespace)
	case location.Spec.AccessMode == velerov1.BackupStorageLocationAccessModeReadOnly:
		return fmt.Sprintf("BackupStorageLocation %s is ReadOnly: set its spec.accessMode to ReadWrite", location.Name)
	case location.Status.Phase == velerov1.BackupStorageLocationPhaseAvailable:
		return ""
	default:
		return fmt.Sprintf("BackupStorageLocation %s is %s: its status.message and the log of the Velero server say why", location.Name, phaseText(location))
	}
}

// LocationChanged reports whether an update of a storage location may change what DefaultLocation and LocationProblem find.
func LocationChanged(from, to *velerov1.BackupStorageLocation) bool {
	return from.UID != to.UID || from.Spec.Default != to.Spec.Default || from.Spec.AccessMode != to.Spec.AccessMode ||
		from.Status.Phase != to.Status.Phase || !maps.Equal(admitted(from), admitted(to))
}

// admitted are the labels by which a storage location admits namespaces.
func admitted(location *velerov1.BackupStorageLocation) map[string]string {
	out := map[string]string{}
	for key, value := range location.Labels {
		if strings.HasPrefix(key, v1alpha1.LabelAllowPrefix) {
			out[key] = value
		}
	}
	return out
}

func phaseText(location *velerov1.BackupStorageLocation) string {
	if location.Status.Phase == "" {
		return "not validated yet"
	}
	return string(location.Status.Phase)
}
