// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

// Package velero builds Backups and knows what their phases mean. See https://velero.io for the API.
package velero

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// maxBackupName is the longest name of a Backup that Velero can restore from: it puts the name into labels.
const maxBackupName = validation.LabelValueMaxLength

// shortHash keeps names apart that were cut or changed, within one namespace.
const shortHash = 8

// longHash keeps the names of Backups apart, which all tenants share a namespace for: the names are foreseeable, so
// that nobody must be able to find a version of their own that leads to the name of somebody else's next Backup.
const longHash = 16

// BackupID identifies one attempt at the backup of one rollout. Everything about a Backup's name follows from it, so
// that an operator that was killed finds its Backup again instead of starting another.
type BackupID struct {
	Cluster   string // UID of its namespace kube-system
	Namespace string
	Plan      string
	Version   string // of the release that is about to roll out
	Rollout   int32
	Attempt   int32
}

// Name of the Backup: readable, at most 63 characters, never the same for two IDs.
func (id BackupID) Name() string {
	number := strconv.Itoa(int(id.Rollout))
	if id.Attempt > 1 {
		number += "." + strconv.Itoa(int(id.Attempt))
	}
	digest := hash(longHash, id.Cluster, id.Namespace, id.Plan, id.Version, strconv.Itoa(int(id.Rollout)), strconv.Itoa(int(id.Attempt)))
	suffix := "-" + number + "-" + digest
	return cut(dnsName(id.Plan+"-"+id.Version), maxBackupName-len(suffix)) + suffix
}

// ReleaseName is the name of the AppRelease that the operator makes: "<plan>-<version>", as far as a name can hold
// the version; else with a hash at its end. Nothing is found by it: a release is known by its plan and version.
func ReleaseName(plan, version string) string {
	plain := plan + "-" + version
	if name := dnsName(plain); name == plain && len(validation.IsDNS1123Subdomain(name)) == 0 {
		return name
	}
	return dnsName(plain) + "-" + hash(shortHash, plan, version)
}

// ReleaseNamePrefix is what the API server makes a name of where ReleaseName is taken.
func ReleaseNamePrefix(plan, version string) string {
	return cut(dnsName(plan+"-"+version), maxGeneratedBase-1) + "-"
}

// maxGeneratedBase is how much of a prefix the API server takes: it cuts the rest, and adds five characters.
const maxGeneratedBase = 58

// LabelValue is a version in the form of a label's value: itself where it is one, else cut and with a hash.
func LabelValue(version string) string {
	if len(validation.IsValidLabelValue(version)) == 0 {
		return version
	}
	return cut(dnsName(version), validation.LabelValueMaxLength-shortHash-1) + "-" + hash(shortHash, version)
}

// cut shortens a name of dnsName, so that it still ends in a letter or digit.
func cut(name string, limit int) string {
	return strings.TrimRight(name[:min(len(name), limit)], "-.")
}

// dnsName lowers a text and replaces what a DNS subdomain cannot hold. Both ends and every dot have a letter or digit
// beside them.
func dnsName(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case r == '.' && !strings.HasSuffix(b.String(), ".") && !strings.HasSuffix(b.String(), "-"):
			b.WriteRune(r)
		case strings.HasSuffix(b.String(), "."):
			// a label must begin with a letter or digit: drop it
		default:
			b.WriteRune('-')
		}
	}
	name := strings.Trim(b.String(), "-.")
	if name == "" {
		return "x"
	}
	return name
}

// hash of several texts. They are quoted, so that no two lists of texts look the same.
func hash(length int, parts ...string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", parts))
	return hex.EncodeToString(sum[:])[:length]
}
