// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package velero

import (
	"strings"
	"testing"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/test/gen"
)

func TestLocationProblem(t *testing.T) {
	admits := gen.Label("allow.dr.backstay.dev/ns", "true")
	unavailable := gen.LocationStatus(velerov1.BackupStorageLocationPhaseUnavailable, "no such bucket")
	for name, tc := range map[string]struct {
		location *velerov1.BackupStorageLocation
		asked    string
		want     string // part of the problem; "" for none
	}{
		"default":                       {gen.Location("main", gen.DefaultLocation()), "", ""},
		"default by its name":           {gen.Location("main", gen.DefaultLocation()), "main", ""},
		"admitted":                      {gen.Location("vault", admits), "vault", ""},
		"no default":                    {nil, "", "no default BackupStorageLocation"},
		"missing":                       {nil, "vault", "no BackupStorageLocation vault that admits namespace ns"},
		"not admitted":                  {gen.Location("vault"), "vault", "label allow.dr.backstay.dev/ns=true"},
		"admitted by another value":     {gen.Location("vault", gen.Label("allow.dr.backstay.dev/ns", "false")), "vault", "no BackupStorageLocation vault that admits namespace ns"},
		"another namespace is admitted": {gen.Location("vault", gen.Label("allow.dr.backstay.dev/ns2", "true")), "vault", "no BackupStorageLocation vault that admits namespace ns"},
		"read-only":                     {gen.Location("vault", admits, gen.ReadOnly()), "vault", "ReadOnly: set its spec.accessMode"},
		"unavailable":                   {gen.Location("main", gen.DefaultLocation(), unavailable), "", "main is Unavailable: its status.message and the log"},
		"unavailable without a message": {gen.Location("vault", admits, gen.LocationStatus("Unavailable", "")), "vault", "the log of the Velero server say why"},
		"new":                           {gen.Location("vault", admits, gen.LocationStatus("", "")), "vault", "not validated yet"},
		"not admitted and unavailable":  {gen.Location("vault", unavailable), "vault", "that admits"},
	} {
		t.Run(name, func(t *testing.T) {
			got := LocationProblem(tc.location, tc.asked, "ns")
			if strings.Contains(got, "no such bucket") {
				t.Errorf("a tenant is told what the storage answered: %s", got)
			}
			if (got == "") != (tc.want == "") || !strings.Contains(got, tc.want) {
				t.Errorf("LocationProblem() = %q, want %q in it", got, tc.want)
			}
		})
	}
}

func TestDefaultLocation(t *testing.T) {
	locations := []velerov1.BackupStorageLocation{*gen.Location("a"), *gen.Location("b", gen.DefaultLocation())}
	if got := DefaultLocation(locations); got == nil || got.Name != "b" {
		t.Errorf("DefaultLocation() = %v, want b", got)
	}
	if got := DefaultLocation(locations[:1]); got != nil {
		t.Errorf("DefaultLocation() = %v, want none", got)
	}
}
